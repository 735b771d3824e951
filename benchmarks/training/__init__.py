"""What `benchmarks.train` measures: our model and its peers, one step of either, its operations, figures."""
