"""Which examples are held out, and what they share with those that are not."""
