"""Pages of usage and reports: they parse, ask selectors, and answer as a page or a file."""
