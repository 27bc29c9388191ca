"""Pages composed from several apps: home, project page, search, style guide."""
