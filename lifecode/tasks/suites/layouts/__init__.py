"""Readers, one for each layout in which a benchmark is downloaded."""
