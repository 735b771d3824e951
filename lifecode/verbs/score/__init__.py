"""`lifecode score`: variants of a genome, and mutational scans of a protein."""
