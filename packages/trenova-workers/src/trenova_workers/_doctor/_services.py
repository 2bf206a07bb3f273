"""Asks installed services about themselves: ``python -m MODULE VERB --json``, never an import."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from trenova_workers._service import Finding
from trenova_workers._up._discovery import Service

_ASK_S = 120.0
_SAID_LINES = 5


@dataclass(frozen=True)
class Answer:
    """How a verb of a service ended. ``status`` is None when it was ended for taking too long."""

    status: int | None
    out: str
    err: str

    @property
    def said(self) -> str:
        """The end of what it said, on one line."""
        if self.status is None:
            return f"no answer within {_ASK_S:g} s"
        return " / ".join(self.err.split("\n")[-_SAID_LINES:]) or f"exit status {self.status} and not a word"


@dataclass(frozen=True)
class Described:
    """What a service says of itself.

    ``shown`` is the answer of its ``config show --json``, empty when ``refusal`` says why. ``findings`` are those of
    its ``check --json``, None when it was not asked, empty when ``unchecked`` says why. ``sections`` are the first
    levels of its settings, also where those do not hold; ``faults`` is then what is wrong with them, one each.
    """

    service: Service
    shown: Mapping[str, Any] = field(default_factory=dict)
    refusal: str = ""
    sections: Sequence[str] = ()
    faults: Sequence[str] = ()
    findings: Sequence[Finding] | None = None
    unchecked: str = ""

    @property
    def name(self) -> str:
        """The name of its entry point."""
        return self.service.name

    @property
    def queues(self) -> Sequence[str]:
        """What it polls."""
        return [str(queue) for queue in self.shown.get("queues", ())]

    @property
    def settings(self) -> Mapping[str, Any]:
        """Its effective settings by key, with dots between levels."""
        return {one["key"]: one["value"] for one in self.shown.get("settings", ())}

    def section(self, name: str) -> dict[str, Any]:
        """Return the settings below ``name``, nested as the options model takes them."""
        nested: dict[str, Any] = {}
        for key, value in self.settings.items():
            first, *path = key.split(".")
            if first == name and path:
                at = nested
                for part in path[:-1]:
                    at = at.setdefault(part, {})
                at[path[-1]] = value
        return nested


async def ask(service: Service, *verb: str, environ: Mapping[str, str]) -> Answer:
    """Run one verb; it is ended when it takes longer than two minutes."""
    process = await asyncio.create_subprocess_exec(
        *service.command(*verb),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(environ),
    )
    try:
        async with asyncio.timeout(_ASK_S):
            out, err = await process.communicate()
    except TimeoutError:
        return Answer(None, "", "")
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return Answer(process.returncode, out.decode(errors="replace"), err.decode(errors="replace").strip())


async def describe(service: Service, environ: Mapping[str, str], *, check: bool) -> Described:
    """Ask a service what it is and which settings it would run with and, at the same time, what it finds amiss."""
    if not check:
        return _shown(service, await ask(service, "config", "show", "--json", environ=environ))
    shown, checked = await asyncio.gather(
        ask(service, "config", "show", "--json", environ=environ), ask(service, "check", "--json", environ=environ)
    )
    return _checked(_shown(service, shown), checked)


def _shown(service: Service, answer: Answer) -> Described:
    if answer.status != 0:
        return _refused(service, answer)
    try:
        shown = json.loads(answer.out)
        sections = dict.fromkeys(one["key"].partition(".")[0] for one in shown.get("settings", ()))
        described = Described(service, shown, sections=list(sections))
        if not described.queues or not all(isinstance(one["key"], str) for one in shown.get("settings", ())):
            return Described(service, refusal="its `config show --json` names no queues")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Described(service, refusal=f"its `config show --json` is not what was agreed ({type(error).__name__})")
    return described


def _refused(service: Service, answer: Answer) -> Described:
    try:
        told = json.loads(answer.out)
        sections, faults = [str(one) for one in told["sections"]], str(told["refusal"]).splitlines()
    except (ValueError, KeyError, TypeError):  # it did not come so far, or is of another version
        return Described(service, refusal=answer.said)
    return Described(service, refusal=answer.said, sections=sections, faults=faults)


def _checked(described: Described, answer: Answer) -> Described:
    try:
        told = [json.loads(line) for line in answer.out.splitlines() if line.strip()]
        findings = [Finding(str(one["subject"]), ok=bool(one["ok"]), detail=str(one["detail"])) for one in told]
    except (ValueError, KeyError, TypeError):
        return replace(described, findings=(), unchecked="its `check --json` is not what was agreed")
    # Every service finds at least the server.
    return replace(described, findings=findings, unchecked="" if findings else answer.said)
