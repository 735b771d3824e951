"""The corpus on disk: how it is prepared unit by unit, and its shards and training cache."""
