"""Speed and memory beside other implementations: `make bench-op`, `make bench-train`, `make bench-data`.

For people who work on lifecode, in a clone; `lifecode bench` measures what a user can change.
"""
