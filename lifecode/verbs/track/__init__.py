"""`lifecode track`: tracks along a genome, their files, pictures and sessions of a browser."""
