"""Single figures."""
