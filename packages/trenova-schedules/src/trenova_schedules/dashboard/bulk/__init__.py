"""Many schedules at once, and the receipts of that."""
