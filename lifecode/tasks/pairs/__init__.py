"""Pairs as the unit of a task: two sequences and one label, split by pairs or by what is new on one side."""
