"""What a corpus holds: composition, origins, leaks between its splits, genes a model has seen."""
