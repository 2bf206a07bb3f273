"""Ring every alert for real, follow its page, and see it go quiet: ``python services/tests/drill [ALERT...]``."""

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import runbook
from fault import Fault
from known import FAULTS
from stage import Site
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from watch import Watch

FACTOR = 20
PATIENCE_S = 300
"""Seconds in which an alert must ring, and be quiet again after the fault is mended."""


PUT_AWAY_S = 120
_log = logging.getLogger("drill")


@dataclass
class Drilled:
    """What was seen of one alert."""

    alert: str
    what: str
    fires_s: float | None = None
    clears_s: float | None = None
    called: str = "nobody"
    commands: list[str] = field(default_factory=list)
    failed: str | None = None


async def drill(site: Site, watch: Watch, kind: type[Fault]) -> Drilled:
    """Inject a fault, see its alert ring, type what the page says, mend it, see the alert go quiet."""
    fault, page = kind(site, watch), runbook.Page(kind.alert)
    seen = Drilled(kind.alert, kind.what)
    began, is_mended = time.monotonic(), False
    try:
        page.mitigation(kind.mitigation)
        await fault.inject()
        await until(lambda: watch.state(kind.alert) == "firing", f"{kind.alert} did not ring")
        seen.fires_s = time.monotonic() - began
        seen.called = await told(watch, kind.alert)
        for command in page.commands():
            status, _ = await asyncio.to_thread(runbook.run, command, fault.values, site.services.environ, site.folder)
            seen.commands.append(f"{command} (exit {status})")
        mended = time.monotonic()
        await fault.mend()
        is_mended = True
        await until(lambda: watch.state(kind.alert) == "inactive", f"{kind.alert} did not go quiet")
        seen.clears_s = time.monotonic() - mended
        if seen.called != "nobody: silenced":
            await until(lambda: watch.pager.status(kind.alert) == "resolved", "nobody was told that it is over")
    except Exception as error:  # noqa: BLE001  # whatever it is, the other alerts are drilled
        _log.exception("%s", kind.alert)
        seen.failed = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    finally:
        await put_away(fault, is_mended=is_mended)
    return seen


async def put_away(fault: Fault, *, is_mended: bool) -> None:
    """Leave the site as it was for the next drill; what goes wrong there is told, and is no failure of this alert."""
    for end in (fault.stop, fault.done) if is_mended else (fault.mend, fault.stop, fault.done):
        try:
            await asyncio.wait_for(end(), PUT_AWAY_S)
        except Exception:  # noqa: BLE001  # as above
            _log.exception("%s could not be put away", fault.alert)


async def until(look: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not await asyncio.to_thread(look):
        if time.monotonic() > end:
            raise TimeoutError(f"{otherwise} within {PATIENCE_S} s")
        await asyncio.sleep(0.5)


async def told(watch: Watch, alert: str) -> str:
    """Who was called, with the address of the page; an alert that another one silences calls nobody."""
    end = time.monotonic() + 20
    while watch.pager.status(alert) != "firing":
        if time.monotonic() > end:
            return "nobody: silenced" if watch.suppressed(alert) else "nobody"
        await asyncio.sleep(0.5)
    receiver, said = watch.pager.last(alert)
    assert said["annotations"]["runbook_url"].endswith(f"/runbooks/{alert}/"), said["annotations"]
    return receiver


async def all_of(names: Sequence[str], folder: Path, factor: int) -> list[Drilled]:
    watch = Watch(folder, factor)
    site = Site(folder, watch.targets)
    try:
        await site.open()
        found = []
        for name in names:
            if lacking := FAULTS[name].lacking():
                print(f"{name:28} not drilled: install {' and '.join(lacking)} (Debian has packages of these names)")
                continue
            found.append(await drill(site, watch, FAULTS[name]))
            print(line(found[-1]), flush=True)
        return found
    finally:
        await asyncio.to_thread(site.close)
        watch.close()


def line(seen: Drilled) -> str:
    if seen.failed:
        return f"FAILED {seen.alert}: {seen.failed}"
    return f"{seen.alert:28} {seen.fires_s or 0:6.0f} s {seen.clears_s or 0:6.0f} s  {seen.called:16}  {seen.what}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="nox -s drill --", description=__doc__.splitlines()[0])
    parser.add_argument("alerts", nargs="*", metavar="ALERT", help="all of them, unless named")
    parser.add_argument("--factor", type=int, default=FACTOR, help="how much shorter times are than in production")
    parser.add_argument("--stamp", action="store_true", help="write the date of the drill into the pages")
    asked = parser.parse_args()
    if wrong := sorted(set(asked.alerts) - set(FAULTS)):
        parser.error(f"no fault is known for {', '.join(wrong)}; there are {', '.join(sorted(FAULTS))}")
    if lacking := [name for name in ("prometheus", "prometheus-alertmanager") if not shutil.which(name)]:
        parser.error(f"{' and '.join(lacking)} must be installed (Debian has packages of these names)")
    logging.basicConfig(level=logging.WARNING)
    quiet = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=quiet))))
    with tempfile.TemporaryDirectory(prefix="trenova-drill-") as folder:
        print(f"{'alert':28} {'rings':>8} {'quiet':>8}  {'told':16}  fault; times are {asked.factor} times shorter")
        found = asyncio.run(all_of(asked.alerts or list(FAULTS), Path(folder), asked.factor))
    for seen in found:
        for command in seen.commands:
            print(f"  {seen.alert}: {command}")
        if asked.stamp and not seen.failed and seen.fires_s and seen.clears_s:
            runbook.Page(seen.alert).stamp(datetime.now(UTC).date(), seen.fires_s, seen.clears_s, asked.factor)
    return 1 if any(seen.failed for seen in found) else 0


if __name__ == "__main__":
    sys.exit(main())
