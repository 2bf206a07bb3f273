"""The parts of ``worker_profiles.py`` and ``memory_slope.py``: server, workers, loads, and what is read off."""
