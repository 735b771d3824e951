"""A run on disk: its folder, config, checkpoints and metrics.csv."""
