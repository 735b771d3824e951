"""Rows of LucaOne out of the records that users have: genomes, proteins, InterPro, structures."""
