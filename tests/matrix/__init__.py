"""The state matrix of the probes, a table for each group of families."""
