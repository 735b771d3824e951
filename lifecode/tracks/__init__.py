"""Along a genome: what a codon model finds surprising, codon by codon, as tracks for genome browsers.

From contigs to codon sequences (with the places of their nucleotides), to values, to runs, to
files.
"""
