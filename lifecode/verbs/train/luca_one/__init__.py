"""`lifecode train` of LucaOne: one stage on labelled rows of letters."""
