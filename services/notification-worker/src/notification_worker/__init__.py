"""The worker of the notification queue: an entrypoint that composes libraries and holds no logic of its own."""
