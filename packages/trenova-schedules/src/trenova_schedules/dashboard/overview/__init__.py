"""What needs somebody, what is to come, and the list of schedules."""
