"""Life-Code: tokenizer, codec, hybrid encoder over both strands, and the model they make."""
