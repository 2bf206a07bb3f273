"""What stands below the tables once everything runs: where things are, and how another shell reaches them."""

import shlex
from pathlib import Path

from rich.text import Text

from trenova_workers._up._embedded import PROFILE, EmbeddedServer
from trenova_workers._up._options import NAMESPACE
from trenova_workers._up._table import seconds


def summary(server: EmbeddedServer, data_dir: Path, *, is_ready: bool, total: float, spent: str) -> Text:
    """Return the lines.

    Args:
        server: That runs.
        data_dir: The folder of all state.
        is_ready: Whether everything got ready.
        total: Seconds that it took.
        spent: On what.
    """
    reached = "Ready" if is_ready else "Not all ready"
    shell = f"export TEMPORAL_CONFIG_FILE={_typed(data_dir / PROFILE)} TRENOVA_DATA_DIR={_typed(data_dir)}"
    lines = [
        f"Temporal UI      {server.ui}",
        f"Temporal server  {server.address}, namespace {NAMESPACE}, log {_near(server.log)}",
        f"In another shell {shell}",
        f"{reached} after {seconds(total)}: {spent}. Ctrl-C stops everything.",
    ]
    return Text("\n".join(lines), style="bold")


def _typed(path: Path) -> str:
    return shlex.quote(_near(path))


def _near(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
