"""`lifecode track`."""
