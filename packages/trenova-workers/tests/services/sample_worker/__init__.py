"""A service with everything a service can have."""
