"""What the benches of the bulk jobs share: a server, rows for it, other people's traffic, and how to judge."""
