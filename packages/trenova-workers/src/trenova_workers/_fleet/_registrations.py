"""What a worker registers, told to everybody by the one thing that every heartbeat carries for us: a plugin's name.

Wire contract of version 1, the name of a plugin::

    trenova_workers.Registrations/1/<digest>/<names>

    digest  the first 12 hexadecimal digits of SHA-256 over the JSON below
    names   base64url(zlib(JSON)) without padding; left out where it would be longer than 8192 characters
    JSON    {"activities": [...], "nexus": [...], "workflows": [...]}, sorted, no spaces, UTF-8;
            a dynamic workflow or activity is "*"
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Iterable
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

PLUGIN_NAME: Final = "trenova_workers.Registrations"
"""Followed by ``/1/<digest>/<names>``."""
ANY: Final = "*"
"""The name of what takes every type that has no name of its own."""

_PREFIX: Final = f"{PLUGIN_NAME}/1/"
_LONGEST: Final = 8192
_MOST_BYTES: Final = 1 << 20
_DIGEST_DIGITS: Final = 12


class Registrations(BaseModel):
    """The types that a worker takes from its queue. Lists are sorted; ``*`` takes every other type.

    ``known`` is false for a worker that told the digest only, having too many names to tell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    workflows: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()
    nexus: tuple[str, ...] = ()
    digest: str = ""
    known: bool = True

    @classmethod
    def of(cls, *, workflows: Iterable[str] = (), activities: Iterable[str] = (), nexus: Iterable[str] = ()) -> Self:
        """Return registrations of these names, in any order, with their digest."""
        names = {
            "activities": sorted(set(activities)),
            "nexus": sorted(set(nexus)),
            "workflows": sorted(set(workflows)),
        }
        digest = hashlib.sha256(_json(names)).hexdigest()[:_DIGEST_DIGITS]
        return cls(**{kind: tuple(some) for kind, some in names.items()}, digest=digest)

    def takes_workflow(self, name: str) -> bool:
        """Whether a run of this workflow type can go on here."""
        return name in self.workflows or ANY in self.workflows

    def plugin_name(self) -> str:
        """Return these registrations as the name of a plugin."""
        names = _json({kind: list(getattr(self, kind)) for kind in ("activities", "nexus", "workflows")})
        packed = base64.urlsafe_b64encode(zlib.compress(names, 9)).decode().rstrip("=")
        told = f"/{packed}" if len(packed) <= _LONGEST else ""
        return f"{_PREFIX}{self.digest}{told}"


def registrations_in(plugin_names: Iterable[str]) -> Registrations | None:
    """Return what is told among the names of a worker's plugins; None for one that does not tell."""
    for name in plugin_names:
        if name.startswith(_PREFIX):
            digest, _, packed = name.removeprefix(_PREFIX).partition("/")
            told = _unpacked(packed) if packed else None
            return told if told and told.digest == digest else Registrations(digest=digest, known=False)
    return None


def _json(names: dict[str, list[str]]) -> bytes:
    return json.dumps(names, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _unpacked(packed: str) -> Registrations | None:
    """Read names that anybody who may poll could have written; None for what is none."""
    try:
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        names = zlib.decompressobj().decompress(raw, _MOST_BYTES)
        told = Registrations.model_validate_json(names)
    except (ValueError, zlib.error, ValidationError):
        return None
    return Registrations.of(workflows=told.workflows, activities=told.activities, nexus=told.nexus)
