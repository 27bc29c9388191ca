"""Requests and their review, and the life cycle of a project."""
