"""What ``codecs.py`` compares."""
