"""How a worker takes work: slots, pollers, executors, metrics, profiles, and what cannot go together."""
