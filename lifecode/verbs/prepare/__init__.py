"""`lifecode prepare`."""
