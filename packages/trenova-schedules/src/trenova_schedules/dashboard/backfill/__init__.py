"""What a backfill would do, its start, and how far it is."""
