"""Which workers there are, in which state, and whether they register what each other and the schedules need."""
