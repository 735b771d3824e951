"""`lifecode train`, and what it would do (`plan=true`)."""
