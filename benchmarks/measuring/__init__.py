"""How contenders are timed: fresh processes, interleaved rounds, every raw figure as a row."""
