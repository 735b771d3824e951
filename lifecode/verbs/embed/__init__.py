"""`lifecode embed`."""
