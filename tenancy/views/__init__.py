"""Pages of this app: people in projects, clouds and plans, tenancies and their journal, the audit log."""
