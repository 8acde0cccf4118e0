"""What a run found: the summary as data and as a table."""
