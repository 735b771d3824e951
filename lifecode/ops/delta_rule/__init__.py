"""The gated delta rule: its boundary, and every backend behind it."""
