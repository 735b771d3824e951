"""The field's benchmarks as downloaded, and a table of models and baselines that goes on after a stop."""
