"""The worker of the shipment queue: an entrypoint that composes libraries and holds no logic of its own."""
