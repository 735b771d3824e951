"""From a corpus to what a training step reads: packed, masked rows in a mixture of kinds."""
