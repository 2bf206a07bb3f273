"""What one ``up`` is told, what it waits for, and the one error by which it refuses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LOOPBACK = "127.0.0.1"
NAMESPACE = "default"


class UpError(Exception):
    """``up`` cannot go on: the message says what was wrong, what was there and what to do."""


@dataclass(frozen=True)
class Limits:
    """Every wait of ``up``, in seconds, and when a worker counts as one that only crashes."""

    server_start: float = 60.0
    server_stop: float = 20.0
    worker_start: float = 120.0
    drain: float = 120.0
    previous_server: float = 15.0
    demo_silence: float = 300.0
    crashes: int = 5
    crash_window: float = 60.0
    first_delay: float = 0.5
    longest_delay: float = 10.0


@dataclass(frozen=True)
class Options:
    """One ``up``; port 0 chooses a free one.

    A console that is not in ``console_ports`` takes a free port too, but for the codec server, which takes the
    next after a fixed ``ui_port``. ``environ`` is what the children inherit, and ``server_binary`` the
    ``temporal`` program. ``pools`` is a file, or the most workers of each service; None runs one of each.
    """

    data_dir: Path
    environ: Mapping[str, str]
    server_binary: Path
    port: int = 7233
    ui_port: int = 8233
    console_ports: Mapping[str, int] = field(default_factory=dict)
    demo: bool = False
    keep: bool = False
    pools: str | None = None
    limits: Limits = field(default_factory=Limits)
