"""The usage ledger, report templates and exports."""
