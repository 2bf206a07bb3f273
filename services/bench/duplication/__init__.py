"""The parts of ``duplicate.py``: the two set-ups, the work pushed through them, and what is read off."""
