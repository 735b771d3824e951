"""What runs left behind when configs named the modules of classes."""

from pathlib import Path

BEFORE = Path(__file__).with_name("run_config_before.yaml")
"""Left by `lifecode train experiment=quickstart split=contigs`."""
