"""A pool under a law, second by second, without a server."""
