"""`lifecode embed`: which units get a vector, how they are read, and the files of vectors."""
