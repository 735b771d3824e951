"""Speed and memory beside other implementations: the gated delta rule alone, and whole training steps."""
