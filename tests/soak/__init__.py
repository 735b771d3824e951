"""Everything that can go wrong while a run trains, on a tiny model: `make soak` does all of it."""
