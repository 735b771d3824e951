"""Charts of what models predict of labelled examples."""
