"""Worker pools: how many workers there are and why, and orders about that."""
