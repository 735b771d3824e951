"""Rows of LucaOne's pre-training: a sequence with the labels of its tasks."""
