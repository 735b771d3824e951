"""Models of others that are measured beside ours, each with its own tokenizer, window and pooling."""
