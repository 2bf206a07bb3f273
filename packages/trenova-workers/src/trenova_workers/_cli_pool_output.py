"""What ``trenova-workers pool`` prints."""

from collections.abc import Mapping

from trenova_workers.pool._reports import PoolReport, PoolsReport, WorkersReport
from trenova_workers.pool.store import DecisionPage


def shown_status(pools: PoolsReport, workers: WorkersReport, *, as_json: bool) -> str:
    """Return the pools with their workers: a paragraph each, or one JSON object."""
    if as_json:
        told = [worker.model_dump_json(by_alias=True) for worker in workers.workers]
        return f'{pools.model_dump_json(by_alias=True)[:-1]},"workers":[{",".join(told)}]}}'
    manager = pools.manager
    who = f"{manager.holder} (lease number {manager.fence})" if manager.holder else "nobody yet"
    lines = [f"scope {manager.scope}: {'managed by' if manager.acting else 'not managed now; last by'} {who}"]
    for pool in pools.pools:
        lines += ["", _headline(pool), *([f"  {pool.why}"] if pool.why else []), *_orders(pool), *_versions(pool)]
        lines += [
            f"  {one.id}  {one.phase:<9} {one.build}  {_used(one.slots_used, one.slots)}  "
            f"{'-' if one.memory_mib is None else f'{one.memory_mib:.0f} MiB'}  {one.identity or ''}".rstrip()
            for one in workers.workers
            if one.pool == pool.name
        ]
    return "\n".join(lines)


def shown_pool(pool: PoolReport, *, as_json: bool) -> str:
    """Return one pool after an order about it."""
    if as_json:
        return pool.model_dump_json(by_alias=True)
    return "\n".join([_headline(pool), *_orders(pool), *([] if pool.managed else ["  No manager acts now."])])


def shown_decisions(page: DecisionPage, *, as_json: bool) -> str:
    """Return decisions, newest first: a line each, or one JSON object a line."""
    if as_json:
        return "\n".join(one.model_dump_json(by_alias=True) for one in page.decisions)
    return "\n".join(
        f"{one.at:%Y-%m-%d %H:%M:%S}  {one.before} -> {one.desired}  {one.action:<4}  {one.why}"
        for one in page.decisions
    )


def _headline(pool: PoolReport) -> str:
    phase = pool.phase or "unseen"
    return f"{pool.name}: {phase}, wants {pool.desired}, has {_counted(pool.counts)}, build {pool.build or '?'}"


def _orders(pool: PoolReport) -> list[str]:
    lines = []
    if (override := pool.orders.override) is not None:
        until = f"{override.until:%Y-%m-%d %H:%M:%S} UTC"
        lines.append(f"  {override.by} wants {override.count} until {until}: {override.reason}")
    if (pause := pool.orders.pause) is not None:
        lines.append(f"  {pause.by} paused it at {pause.since:%Y-%m-%d %H:%M:%S} UTC: {pause.reason}")
    return lines


def _versions(pool: PoolReport) -> list[str]:
    return [
        f"  version {one.build}: {one.state}, {one.percent:g} % of new work, wants {one.desired}, has "
        f"{_counted(one.counts)}, {'?' if one.open_runs is None else f'{one.open_runs:g}'} open runs"
        for one in pool.versions
    ]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"


def _used(used: int | None, slots: int | None) -> str:
    return "-" if used is None else f"{used}/{slots} slots"
