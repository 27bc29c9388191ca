"""The loop that makes the clouds match: claim -> lease -> survey -> plan -> guard -> journal -> apply -> settle."""
