"""What each family of models expects at masked codons: one file a family, behind one function."""
