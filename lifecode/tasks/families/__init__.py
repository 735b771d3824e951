"""How each family of models reads sequences for the task layer: one file a family, behind one interface."""
