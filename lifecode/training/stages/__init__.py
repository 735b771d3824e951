"""What is trained: the two stages, the gradient of a step, the optimizers."""
