"""Predictions of a fine-tuned model for the sequences or pairs of a file."""
