"""Change schedules so that nobody's change is lost."""

from trenova_schedules._managing._write import write_schedule

__all__ = ["write_schedule"]
