"""Calls in ``async`` code that hold up the event loop, as ruff's flake8-async rules see them."""

import asyncio
import importlib.util
import json
import shutil
import sysconfig
from pathlib import Path
from typing import Any

from trenova_workers._doctor._check import Check
from trenova_workers._doctor._diagnosis import Diagnosis
from trenova_workers._doctor._patient import Patient
from trenova_workers._up._discovery import Service

# The rules about calls that block; the other ASYNC rules are about style.
_RULES = "ASYNC2"
# Those that are never quick: HTTP, waiting for a process, for input, for time to pass.
_ALWAYS_SLOW = {"ASYNC210", "ASYNC212", "ASYNC221", "ASYNC222", "ASYNC250", "ASYNC251"}
_SHOWN = 3
_LIMIT_S = 60.0


class BlockingCheck(Check):
    """Reads the source of the services' packages; nothing is imported. ``# noqa`` is respected."""

    id = "blocking"
    about = "no async function of a service calls what blocks the event loop (ruff's flake8-async rules)"

    async def examine(self, patient: Patient) -> list[Diagnosis]:
        """Run ruff over the package of each service."""
        ruff = _ruff()
        if ruff is None:
            return [self.skipped("", "ruff is not installed here; `uv pip install ruff` and look again")]
        return list(await asyncio.gather(*(self._service(ruff, service) for service in patient.installed)))

    async def _service(self, ruff: str, service: Service) -> Diagnosis:
        source = _source(service.module)
        if source is None:
            return self.skipped(service.name, f"the source of {service.module} is not in a folder or file")
        found = await _violations(ruff, source)
        if not found:
            return self.ok(service.name, "no blocking call in its async functions")
        slow = [one for one in found if one["code"] in _ALWAYS_SLOW]
        shown = "; ".join(_place(one, source) for one in (slow or found)[:_SHOWN])
        count = len(slow or found)
        more = f" and {count - _SHOWN} more" if count > _SHOWN else ""
        advice = "Await an async call instead, or give it to a thread (asyncio.to_thread); what is quick gets a noqa."
        return (self.problem if slow else self.warning)(service.name, f"{shown}{more}", advice)


def _ruff() -> str | None:
    beside = Path(sysconfig.get_path("scripts")) / "ruff"
    return str(beside) if beside.exists() else shutil.which("ruff")


def _source(module: str) -> Path | None:
    """Return the folder or file of a module's top-level package; finding it runs none of its code."""
    try:
        spec = importlib.util.find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or ())
    place = Path(places[0] if places else spec.origin or "")
    return place if place.exists() and str(place) != "." else None


async def _violations(ruff: str, source: Path) -> list[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        *(ruff, "check", "--isolated", "--no-cache", "--exit-zero", "--select", _RULES),
        *("--output-format", "json", str(source)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_LIMIT_S):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"ruff ended with status {process.returncode}: {err.decode(errors='replace')[-200:]}")
    found: list[dict[str, Any]] = json.loads(out)
    return found


def _place(one: dict[str, Any], source: Path) -> str:
    file = Path(one["filename"])
    base = source.resolve().parent
    shown = file.relative_to(base) if file.is_relative_to(base) else file
    return f"{shown}:{one['location']['row']} {one['code']} {one['message']}"
