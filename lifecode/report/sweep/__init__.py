"""The page of many runs, by what differs between them."""
