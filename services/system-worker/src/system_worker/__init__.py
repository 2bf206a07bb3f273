"""The worker of the system queue: an entrypoint that composes libraries and holds no logic of its own."""
