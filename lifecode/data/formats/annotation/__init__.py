"""Annotation in a file of its own: its lines, their index, and the FASTA records that they belong to."""
