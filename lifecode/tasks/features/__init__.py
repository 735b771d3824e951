"""What a head learns from: numbers made of a sequence alone, or of the states of an encoder."""
