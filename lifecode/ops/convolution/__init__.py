"""The short convolution: its boundary, and every backend behind it."""
