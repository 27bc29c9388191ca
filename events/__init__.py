"""Audit log and outbox: what was done by whom, and what must still be sent."""
