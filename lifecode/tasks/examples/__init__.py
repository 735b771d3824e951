"""Labelled sequences: a task, its files, columns and labels."""
