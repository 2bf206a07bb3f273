"""``trenova-workers doctor``: looks at the server, the installed services and this machine, and says what to do."""
