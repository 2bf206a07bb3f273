"""Ids that differ."""

from collections import Counter
from collections.abc import Sequence

from trenova_errors import ConfigurationError
from trenova_schedules._definition import ScheduleDefinition


def require_distinct(definitions: Sequence[ScheduleDefinition]) -> None:
    """Refuse definitions that share an id.

    Raises:
        ConfigurationError: Names the ids.
    """
    counts = Counter(definition.id for definition in definitions)
    repeated = [schedule_id for schedule_id, count in counts.items() if count > 1]
    if repeated:
        raise ConfigurationError(
            f"Schedule ids must differ; {', '.join(map(repr, repeated))} defined more than once. Rename all but one.",
            schedule_id=repeated[0],
        )
