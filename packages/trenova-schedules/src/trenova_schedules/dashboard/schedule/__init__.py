"""One schedule: its ticks, run times, objective, definition and history."""
