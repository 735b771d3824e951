"""Who takes part in a comparison: models, their untrained twins and baselines, of sequences or of pairs."""
