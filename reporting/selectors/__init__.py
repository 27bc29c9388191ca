"""What reporting reads: usage (totals), spans (the rows behind a number), coverage (how far, how well), reports."""
