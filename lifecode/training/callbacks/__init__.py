"""Callbacks of the trainer: checkpoints, progress, how well the machine is used."""
