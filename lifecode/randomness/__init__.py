"""Random numbers and orders that are computed from a key, never drawn from a generator."""
