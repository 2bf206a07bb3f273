"""Create what is not there, and leave alone what is."""

from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ConfigurationError
from trenova_schedules._definition import ScheduleDefinition
from trenova_schedules._distinct import require_distinct
from trenova_schedules._reconciling._deciding import Decider
from trenova_schedules._reconciling._writing import create


@dataclass(frozen=True, kw_only=True)
class CreatedReport:
    """What :func:`create_missing` found and did; ids of schedules, in the order of the definitions.

    Attributes:
        created: Did not exist and do now.
        existing: Were there already and were left exactly as they are, paused or changed by whomever.
        never_fire: Those of ``created`` for which the server knows no time at which they would ever fire,
            such as 31 February.
    """

    created: tuple[str, ...]
    existing: tuple[str, ...]
    never_fire: tuple[str, ...]


async def create_missing(client: Client, definitions: Sequence[ScheduleDefinition]) -> CreatedReport:
    """Create each schedule that does not exist; never overwrite, pause, unpause or delete one that does.

    With each goes a record of what was applied, in which what the server has no place for is kept (description, labels,
    runbook, ``slo``, backfill policy); so a ``Reconciler`` goes on later as if it had made them.

    Any number of processes may do this at once: for each id the server lets one of them create it, and the
    others report it as existing.

    Args:
        client: Of the namespace in which the schedules belong.
        definitions: Worked through in order, one at a time.

    Raises:
        ConfigurationError: Two definitions share an id (nothing has been created), or the server refuses one
            (those before it have been created; calling again with the definition mended creates the rest).
        temporalio.service.RPCError: The server could not be asked.
    """
    require_distinct(definitions)
    created: list[str] = []
    existing: list[str] = []
    never_fire: list[str] = []
    for definition in definitions:
        if not await _create(client, definition):
            existing.append(definition.id)
            continue
        created.append(definition.id)
        description = await client.get_schedule_handle(definition.id).describe()
        if not description.info.next_action_times:
            never_fire.append(definition.id)
    return CreatedReport(created=tuple(created), existing=tuple(existing), never_fire=tuple(never_fire))


async def _create(client: Client, definition: ScheduleDefinition) -> bool:
    decision = await Decider(client, definition.owner, serving=None, overwrite=()).creation(definition)
    try:
        return await create(client, decision, definition.owner)
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        raise ConfigurationError(
            f"Temporal refuses schedule {definition.id!r}: {error.message}. Mend its definition.",
            schedule_id=definition.id,
        ) from error
