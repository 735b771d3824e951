"""What a change does to a transcript: terms, names, codons and residues."""
