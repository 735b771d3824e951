"""Heads on the states of a model that learn by gradient: pools, heads of sequences, positions and pairs."""
