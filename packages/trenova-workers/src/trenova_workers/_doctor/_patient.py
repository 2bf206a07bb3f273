"""What the checks look at: the installed services as they describe themselves, the server, this machine."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.client import Client

from trenova_workers._doctor._local import LocalWorker
from trenova_workers._doctor._services import Described
from trenova_workers._up._discovery import Service


@dataclass(frozen=True)
class Patient:
    """Everything that was learnt before the first check, and how to look further.

    ``installed`` are the services to look at, ``services`` their answers when they were asked. ``client`` is None
    when the server was not asked or did not answer; ``no_client`` says which, and ``unreachable`` is what was in the
    way. ``root`` stands for ``/`` wherever the kernel's files are read, and ``now`` for this machine's clock, in
    seconds since 1970.
    """

    environ: Mapping[str, str]
    installed: Sequence[Service]
    services: Sequence[Described] = ()
    client: Client | None = None
    no_client: str = ""
    unreachable: str = ""
    address_from: str = ""
    """Where the address comes from, when that is not the environment."""
    offline: bool = False
    expect_running: bool = False
    local: Sequence[LocalWorker] = ()
    root: Path = Path("/")
    now: Callable[[], float] = field(default=time.time)

    @property
    def described(self) -> Sequence[Described]:
        """The services that said what they are."""
        return [service for service in self.services if service.shown]
