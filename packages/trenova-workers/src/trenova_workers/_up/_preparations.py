"""What other packages have to do on this machine before anything is stored: found and run, never imported.

An entry point of the group ``trenova.preparations`` is run as ``python -m MODULE`` before the Temporal server starts,
at every ``up``. It is told ``TRENOVA_DATA_DIR``, and ``TRENOVA_SERVER_DATABASE``, the server's database, if there is
one already. A line on its standard output is shown; an exit status but 0 stops ``up`` with what it said on standard
error.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from trenova_workers._up._embedded import DATABASE
from trenova_workers._up._options import Options, UpError
from trenova_workers._up._processes import Processes
from trenova_workers._up._screen import Screen

GROUP = "trenova.preparations"
SERVER_DATABASE = "TRENOVA_SERVER_DATABASE"


@dataclass(frozen=True)
class Preparation:
    """A program that ``python -m <module>`` runs."""

    name: str
    module: str


def installed_preparations(found: Iterable[EntryPoint] | None = None) -> list[Preparation]:
    """Every preparation declared in the entry-point group ``trenova.preparations``, by name."""
    points = entry_points(group=GROUP) if found is None else found
    return sorted({Preparation(point.name, point.module) for point in points}, key=lambda one: (one.name, one.module))


async def prepare_machine(
    options: Options,
    preparations: Sequence[Preparation],
    environ: Mapping[str, str],
    *,
    processes: Processes,
    screen: Screen,
) -> None:
    """Run the preparations one after the other.

    Raises:
        UpError: One of them refused; carries what it said.
    """
    database = options.data_dir / DATABASE
    told = {**environ, **({SERVER_DATABASE: str(database)} if database.exists() else {})}
    for one in preparations:
        child = await processes.spawn([sys.executable, "-m", one.module], told, out=screen.say)
        if await child.wait():
            raise UpError(" ".join(child.tail) or f"{one.name} ended without a word; run `python -m {one.module}`.")
