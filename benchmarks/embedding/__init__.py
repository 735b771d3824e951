"""How fast sequences become vectors, beside the encoder alone and a protein model."""
