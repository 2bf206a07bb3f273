"""What a worker says of itself over its loopback port."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from trenova_workers._up._http import get

_OK = 200
_FAILED = "a worker failed"  # as `trenova_workers.run` says it


@dataclass(frozen=True)
class Said:
    """What a worker answered.

    Attributes:
        ready: Whether it polls all its queues, where it was asked that.
        draining: Whether it takes nothing new.
        failed: Whether that is because something in it failed, and not because it was asked to.
        identity: Under which it polls.
    """

    ready: bool
    draining: bool
    failed: bool
    identity: str


async def ask(port: int, *, was_ready: bool) -> Said | None:
    """Ask a worker; None if it does not answer.

    One that was ready before is asked whether it lives only, which costs the Temporal server nothing.
    """
    answer = await get(port, "/livez" if was_ready else "/readyz")
    if answer is None:
        return None
    status, body = answer
    told: Mapping[str, Any] = {}
    with suppress(ValueError):
        read = json.loads(body)
        told = read if isinstance(read, dict) else {}
    draining = told.get("state") in {"draining", "stopped"}
    return Said(
        ready=status == _OK,
        draining=draining,
        failed=draining and _FAILED in str(told.get("reason")),
        identity=str(told.get("identity") or ""),
    )
