"""Labelled sets made of annotated genomes."""
