"""Who a worker process is, as Temporal's pollers, its logs, metrics and health answers show it."""

import os
import re
import secrets
import socket
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

_TEXT = re.compile(
    r"(?P<service>[^@#\s]+)@(?P<host>[^@#\s]+):(?P<pid>[1-9][0-9]{0,9})#(?P<instance>[0-9a-z]{6,32})", re.ASCII
)
_PART = r"^[^@#\s]+$"


class Identity(BaseModel):
    """Who a worker process is.

    The build is not part of `text`: the server has a field for it (the deployment version of pollers and
    heartbeats), and an identity that changes its form with every build can neither be searched for nor read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str = Field(pattern=_PART)
    """What the process serves, e.g. ``shipment-worker``."""
    host: str = Field(pattern=_PART)
    """The pod, else the host."""
    pid: int = Field(ge=1)
    instance: str = Field(pattern=r"^[0-9a-z]{6,32}$")
    """New for each process, because a restarted container has the host and the pid of the one before, and the
    server lists pollers for minutes after they are gone."""
    build_id: str | None = None
    """What was built, e.g. a version or a commit."""

    @classmethod
    def of_this_process(cls, service: str, *, host: str | None = None, build_id: str | None = None) -> Self:
        """Return a new identity for this process.

        Args:
            service: What it serves.
            host: From `host_of`; the machine's name if absent.
            build_id: What was built.
        """
        named = _SPOILT.sub("-", host or socket.gethostname()) or "unknown"
        return cls(service=service, host=named, pid=os.getpid(), instance=secrets.token_hex(4), build_id=build_id)

    @property
    def text(self) -> str:
        """``service@host:pid#instance``: the identity under which the process polls."""
        return f"{self.service}@{self.host}:{self.pid}#{self.instance}"

    def fields(self) -> dict[str, str]:
        """Return ``service``, ``host``, ``pid``, ``instance`` and, where it is known, ``build_id``."""
        return {name: str(value) for name, value in self.model_dump(exclude_none=True).items()}


_SPOILT = re.compile(r"[@#\s]+")


def parse_identity(text: str, *, build_id: str | None = None) -> Identity | None:
    """Read `Identity.text`; None for the identity of anything else that talks to Temporal."""
    found = _TEXT.fullmatch(text)
    return None if found is None else Identity(**found.groupdict(), build_id=build_id)  # pydantic reads the pid


def host_of(environ: Mapping[str, str]) -> str | None:
    """Return the pod (``POD_NAME``, which a container's manifest sets) or ``HOSTNAME``; None where neither is set."""
    return environ.get("POD_NAME") or environ.get("HOSTNAME") or None


def make_identity(service: str) -> str:
    """Return the text of a new identity, for a command that needs no more of it."""
    return Identity.of_this_process(service).text
