"""What variants do to coding sequences: consequences, HGVS names, and scores of a model.

Data flows one way: alleles of a file, the genome with its transcripts, the effect of one on the other, rows.
"""
