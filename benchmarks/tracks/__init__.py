"""What tracks along a genome are worth."""
