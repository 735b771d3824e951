"""Genomes with their transcripts, files of variants, and mutational scans with their names of mutants."""
