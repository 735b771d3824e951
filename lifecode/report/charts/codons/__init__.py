"""Charts of codons: their usage, a map of them, a sample of guesses."""
