"""`lifecode evaluate`."""
