"""Rows of LucaOne's pre-training out of the records that users have: genomes, proteins, InterPro, structures."""
