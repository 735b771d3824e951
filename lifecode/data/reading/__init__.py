"""From what the user names to contigs with their CDS: inputs, genetic codes, names, and what was left out."""
