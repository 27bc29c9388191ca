"""What reporting reads: ``usage`` (totals), ``spans`` (rows behind a number), ``coverage`` (how far, how well), ``reports``."""
