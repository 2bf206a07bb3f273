"""``trenova-errors explain``."""

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from trenova_errors._classification import Classification
from trenova_errors._explain import PRECEDENCE, Reading
from trenova_errors._explain import explain as read
from trenova_errors._kinds import ErrorKind
from trenova_errors._types import InvalidInputError

if TYPE_CHECKING:
    from trenova_errors._rules import RuleSet

_NOT_KNOWN: Final = 2

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="[SYSTEM] CODE|CLASS|KIND...",
        show_default=False,
        help="40P01, http 429, grpc UNAVAILABLE, errno ECONNRESET, smtp 451, sqlite SQLITE_BUSY, aws SlowDown, "
        "redis ReadOnlyError, httpx.ReadTimeout, timeout START_TO_CLOSE, throttle; several at once if you like.",
    ),
]
Rules = Annotated[
    str | None,
    typer.Option(metavar="MODULE:ATTRIBUTE", help="Your RuleSet, also from the working folder: my_app.errors:RULES."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON: a list with one object for each reading.")]


def explain(words: Words, rules: Rules = None, as_json: AsJson = False) -> None:
    """Say what is decided about a code, a status or a class of exceptions, and why."""
    # Classes and rules of the program at hand; installed modules come first.
    sys.path.append(str(Path.cwd()))
    try:
        readings = read(words) if rules is None else read(words, _load(rules))
    except InvalidInputError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(_NOT_KNOWN) from None
    if as_json:
        typer.echo(json.dumps([_fields(one) for one in readings], indent=2))
    else:
        _print(readings)


def _load(reference: str) -> "RuleSet":
    from trenova_errors._explain_rules import load_rules

    return load_rules(reference)


def _print(readings: list[Reading]) -> None:
    for reading in readings:
        typer.secho(reading.subject, bold=True)
        for name, value in _lines(reading).items():
            typer.echo(f"  {name:13}{value}")
        for note in reading.notes:
            typer.echo(f"  {'note':13}{note}")
        typer.echo()
    typer.echo("The first of these decides:")
    for number, what in enumerate(PRECEDENCE, start=1):
        typer.echo(f"  {number}. {what}")


def _lines(reading: Reading) -> dict[str, str]:
    found = reading.decision
    if not found.failure:
        return {"kind": "no failure", "code": found.code, "log level": _level(found), "source": found.source}
    return {
        "kind": found.kind.value,
        "code": found.code,
        "retried": _retried(reading),
        "delay": reading.delay,
        "log level": _level(found) + (", benign" if found.benign else ""),
        "HTTP status": str(found.http_status),
        "runbook": found.runbook,
        "why": found.reason,
        "source": found.source,
    }


def _level(found: Classification) -> str:
    return logging.getLevelName(found.log_level)


def _retried(reading: Reading) -> str:
    found = reading.decision
    if found.kind is ErrorKind.AMBIGUOUS:
        return "only where doing it twice is the same as doing it once (idempotent=True)"
    return "yes" if found.retryable else "no"


def _fields(reading: Reading) -> dict[str, Any]:
    found = reading.decision
    return {
        "subject": reading.subject,
        "failure": found.failure,
        "kind": found.kind.value,
        "code": found.code,
        "retryable": found.retryable,
        "retry_after_s": found.retry_after.total_seconds() if found.retry_after else None,
        "delay": reading.delay,
        "log_level": _level(found),
        "benign": found.benign,
        "http_status": found.http_status,
        "runbook": found.runbook,
        "reason": found.reason,
        "source": found.source,
        "notes": list(reading.notes),
        "precedence": list(PRECEDENCE),
    }
