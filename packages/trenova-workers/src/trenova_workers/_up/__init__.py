"""``trenova-workers up``: one machine, one command, every installed worker on a server of its own."""
