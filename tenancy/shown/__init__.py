"""Rows of this app as the parts of a page are given them: plans, progress, members. Reads only."""
