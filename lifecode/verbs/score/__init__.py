"""`lifecode score`."""
