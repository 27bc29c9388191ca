"""The shared records, and the loop survey -> plan -> apply that makes the clouds match them."""
