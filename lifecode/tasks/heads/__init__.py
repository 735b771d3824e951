"""From features to predictions: each head chooses its strength inside the examples it is fitted on."""
