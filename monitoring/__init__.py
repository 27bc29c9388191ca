"""Recipes, findings and the Day 1 / Day 99 / Day 999 dashboards."""
