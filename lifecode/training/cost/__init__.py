"""What a training step costs: operations and memory, estimated from shapes."""
