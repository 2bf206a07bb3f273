"""Every check, in the order in which they are run and printed."""

from collections.abc import Sequence

from trenova_workers._doctor._check import Check
from trenova_workers._doctor._check_attributes import AttributesCheck
from trenova_workers._doctor._check_blocking import BlockingCheck
from trenova_workers._doctor._check_clock import ClockCheck
from trenova_workers._doctor._check_environment import EnvironmentCheck
from trenova_workers._doctor._check_loop import LoopCheck
from trenova_workers._doctor._check_machine import MachineCheck
from trenova_workers._doctor._check_options import OptionsCheck
from trenova_workers._doctor._check_queues import QueuesCheck
from trenova_workers._doctor._check_registrations import RegistrationsCheck
from trenova_workers._doctor._check_server import ServerCheck
from trenova_workers._doctor._check_services import ServicesCheck

CHECKS: Sequence[Check] = (
    EnvironmentCheck(),
    ServerCheck(),
    ClockCheck(),
    ServicesCheck(),
    OptionsCheck(),
    AttributesCheck(),
    QueuesCheck(),
    RegistrationsCheck(),
    MachineCheck(),
    BlockingCheck(),
    LoopCheck(),
)


def chosen(ids: Sequence[str]) -> list[Check]:
    """Return the checks with these ids, all when there are none.

    Raises:
        ValueError: There is no such check; names those there are.
    """
    known = {check.id: check for check in CHECKS}
    unknown = [one for one in ids if one not in known]
    if unknown:
        raise ValueError(f"There is no check {unknown[0]!r}; there are {', '.join(known)}.")
    return [check for check in CHECKS if not ids or check.id in ids]
