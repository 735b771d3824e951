"""lifecode: from annotated genomes to codon-level language models."""
