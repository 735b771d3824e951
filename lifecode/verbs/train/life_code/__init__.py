"""`lifecode train` of Life-Code: a tokenizer, then an encoder that reads its codons."""
