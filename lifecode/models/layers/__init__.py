"""Layers that any model family may use: mixers, the block around them, norms."""
