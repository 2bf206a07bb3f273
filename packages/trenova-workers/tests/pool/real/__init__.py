"""Pools for real: a server, managers and workers as processes, a load, and what came of it."""
