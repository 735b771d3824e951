"""Speed and memory beside other implementations: `make bench-op`, `make bench-train`, `make bench-data`.

`make bench-design` measures how well native codons are guessed.

For people who work on lifecode, in a clone; `lifecode bench` measures what a user can change.
"""
