"""What is defined, made so on the server, without undoing what operators did there."""
