"""What a program meets on a machine: files, locks, signals, streams, cores, installed packages."""
