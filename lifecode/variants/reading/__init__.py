"""Genomes with their transcripts, and files of variants."""
