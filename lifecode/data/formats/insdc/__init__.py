"""Flat files of the INSDC: GenBank and EMBL, through gb-io and Biopython."""
