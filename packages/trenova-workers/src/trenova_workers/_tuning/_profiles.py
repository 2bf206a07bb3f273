"""Defaults for kinds of work."""

from typing import Literal

Profile = Literal["io", "cpu", "mixed", "bulk", "dev"]
"""``io`` waits, ``cpu`` computes in Python, ``mixed`` does both, ``bulk`` is few and long, ``dev`` is one machine."""
