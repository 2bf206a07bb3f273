"""``trenova-workers pool override``, ``pause``, ``resume`` and ``drain``: what operators want of a pool."""

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperCommand

from trenova_workers._cli_pool_asking import Beside, DataDir, Json, Pool, Reason, Url, ask_desk, clerk, pools_options

if TYPE_CHECKING:
    from trenova_workers.pool._desk import PoolDesk
    from trenova_workers.scaling import ScalingPolicy

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MOST_S: Final = 7 * 86_400


class _Numbers(TyperCommand):
    """A command that takes ``-3`` for a number, if a wrong one, and not for an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See the base class; ``ctx`` is that of the command."""
        for before, one in pairwise(["", *args]):
            if one[:1] == "-" and one[1:].isdecimal() and not before.startswith("--"):
                raise typer.BadParameter(f"{one} is no number of workers. Write one from 0 to 10000.")
        return super().parse_args(ctx, args)


def add_orders(app: typer.Typer) -> None:
    """Add the commands that order something."""

    @app.command("override", cls=_Numbers)
    def override(
        pool: Pool,
        count: Annotated[int, typer.Argument(min=0, max=10_000, help="Workers.")],
        *,
        pools: Beside = None,
        for_: Annotated[str, typer.Option("--for", metavar="TIME", help="How long, such as 90m, 2h or 1d.")],
        reason: Reason,
        data_dir: DataDir = None,
        database_url: Url = None,
        json_: Json = False,
    ) -> None:
        """Fix the number of workers for a while, whatever the load."""
        lasts = _seconds(for_)
        options = pools_options(pools, data_dir, database_url)

        async def order(desk: "PoolDesk") -> str:
            from datetime import timedelta

            until = await desk.now() + timedelta(seconds=lasts)
            told = _told(await desk.override(pool, count, until, reason, clerk()), as_json=json_)
            _warn_if_held(pool, count, options.pools[pool].policy)
            return told

        ask_desk(options, order, orders=True)

    @app.command("pause")
    def pause(
        pool: Pool,
        *,
        pools: Beside = None,
        reason: Reason,
        data_dir: DataDir = None,
        database_url: Url = None,
        json_: Json = False,
    ) -> None:
        """Leave a pool at its number of workers; those that crash are still made up for."""

        async def order(desk: "PoolDesk") -> str:
            return _told(await desk.pause(pool, reason, clerk()), as_json=json_)

        ask_desk(pools_options(pools, data_dir, database_url), order, orders=True)

    @app.command("resume")
    def resume(
        pool: Pool,
        *,
        pools: Beside = None,
        reason: Reason,
        data_dir: DataDir = None,
        database_url: Url = None,
        json_: Json = False,
    ) -> None:
        """Let load decide again: neither pause nor override is left, and a crash loop is tried anew."""

        async def order(desk: "PoolDesk") -> str:
            return _told(await desk.resume(pool, reason, clerk()), as_json=json_)

        ask_desk(pools_options(pools, data_dir, database_url), order, orders=True)

    @app.command("drain")
    def drain(
        name: Annotated[str, typer.Argument(metavar="POOL|WORKER", help="A pool, or the id of a worker.")],
        *,
        pools: Beside = None,
        reason: Reason,
        data_dir: DataDir = None,
        database_url: Url = None,
        json_: Json = False,
    ) -> None:
        """Have a worker finish and end; of a pool all that are there, each replaced first."""
        options = pools_options(pools, data_dir, database_url)

        async def order(desk: "PoolDesk") -> str:
            if name in options.pools:
                return _told(await desk.drain_pool(name, reason, clerk()), as_json=json_)
            worker = await desk.drain(name, reason, clerk())
            return worker.model_dump_json(by_alias=True) if json_ else f"{worker.id} of {worker.pool} is to be drained."

        ask_desk(options, order, orders=True)


def _warn_if_held(pool: str, count: int, policy: "ScalingPolicy") -> None:
    held = min(policy.max_workers, max(policy.min_workers, count))
    if held != count:
        bound = "max_workers" if held < count else "min_workers"
        typer.echo(f"warning: it is held to {held}, which is policy.{bound} of {pool}.", err=True)


def _told(report: Any, *, as_json: bool) -> str:
    from trenova_workers._cli_pool_output import shown_pool

    return shown_pool(report, as_json=as_json)


def _seconds(text: str) -> int:
    number, unit = text[:-1], text[-1:]
    if unit not in _SECONDS or not number.isdecimal() or int(number) == 0:
        raise typer.BadParameter(f"--for takes a time such as 90m, 2h or 1d; got {text!r}.")
    lasts = int(number) * _SECONDS[unit]
    if lasts > _MOST_S:
        raise typer.BadParameter(f"--for takes at most 7d; got {text!r}. For longer, change the pool's policy.")
    return lasts
