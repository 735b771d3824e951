"""What backends on flash-linear-attention share."""
