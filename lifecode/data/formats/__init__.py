"""File formats, each read to records or contigs, one at a time."""
