"""Which task queue and which priority a start gets: rules, load, the client that applies them."""
