"""LucaOne: one transformer for nucleic acids and proteins, letter by letter, and its released checkpoints."""
