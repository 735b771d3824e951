"""Coding sequences for a protein: codons drawn among synonyms under a masked model, judged beside others."""
