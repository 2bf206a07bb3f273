"""Change schedules so that nobody's change is lost.

Only the write is exported here: the reconciler needs it, and the service needs the reconciler.
"""

from trenova_schedules._managing._write import write_schedule

__all__ = ["write_schedule"]
