"""What stands around every verb: command line, Hydra, checked construction of config nodes, processes."""
