"""Train, validation and test: what is held out, and what may not lie on both sides."""
