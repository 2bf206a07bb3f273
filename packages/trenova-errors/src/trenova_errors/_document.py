"""The decision table as a page of documentation, generated from the tables that ``classify`` reads."""

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

from trenova_errors._classification import ADVICE, HTTP_STATUS
from trenova_errors._decision import Decision
from trenova_errors._document_kinds import AGAIN, RUNBOOK, WORKFLOW_TASK
from trenova_errors._explain import PRECEDENCE
from trenova_errors._explain_codes import TABLES
from trenova_errors._explain_names import kind_reading, time_out_named, time_outs
from trenova_errors._kinds import ErrorKind
from trenova_errors._outcome import IDEMPOTENT_METHODS
from trenova_errors._type_decisions import NO_FAILURES, TYPES

_LEVELS: Final = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR"}
_WIDTH: Final = 120
_GLUE: Final = "\0"
_BUILT_IN: Final = "Python"
_STANDARD: Final = frozenset(
    {"asyncio", "builtins", "concurrent", "http", "json", "pickle", "queue", "socket", "ssl", "subprocess", "urllib"}
    | {"zlib"}
)
_ABOUT: Final = {
    "SQLSTATE": "PostgreSQL and the SQL standard. A code that is not here goes by its class.",
    "SQLite": "Primary and extended result codes. An extended code that is not here goes by its primary one.",
    "gRPC": "Temporal's own client included.",
    "AWS": '`response["Error"]["Code"]` of botocore. A code that is not here goes by its HTTP status.',
    "SMTP": "Reply codes. One that is not here goes by its first digit. Of several refused recipients, one that may be "
    "accepted later decides.",
    "HTTP": "As a client sees them. Every status from 400 to 599 is decided; an unregistered one as 400 or 500.",
    "errno": "`OSError.errno`, by name, whatever number this system gives it.",
    "getaddrinfo": "`socket.gaierror`.",
    "SQLAlchemy": "`DBAPIError.connection_invalidated`, where the driver's own exception carries no code.",
}
_HEAD: Final = """\
# Error decisions

What `trenova_errors.classify` decides about a failure, and what to do about it at night. Ask for one at a time with
`trenova-errors explain 40P01`, `trenova-errors explain http 429`, `trenova-errors explain httpx.ReadTimeout`.

This page is generated from the tables of the code: `uv run trenova-errors table > docs/error-decisions.md`.
"""


def document() -> str:
    """Return the page as Markdown; the anchors of its kinds are the slugs of :attr:`Classification.runbook`."""
    parts = (_HEAD, _kinds(), _precedence(), _runbook(), *_systems(), _time_outs(), *_types(), _no_failures())
    return "\n".join(parts)


def _kinds() -> str:
    rows = (_kind_row(kind) for kind in ErrorKind)
    return _section(
        "## Kinds",
        "The `type` of the failure on the wire, and what follows from it. An exception that nobody has decided about "
        "is `retryable` with the code `unclassified`: retried as often as the policy allows, and counted.",
        _table(("kind", "it means", "retried", "log level", "HTTP status", "category"), rows),
    )


def _kind_row(kind: ErrorKind) -> tuple[str, ...]:
    found = kind_reading(kind).decision
    again = "if idempotent" if kind is ErrorKind.AMBIGUOUS else "yes" if found.retryable else "no"
    level, status = _LEVELS[found.log_level], str(HTTP_STATUS[kind])
    return f"[`{kind}`](#{kind})", ADVICE[kind], again, level, status, "BENIGN" if found.benign else ""


def _precedence() -> str:
    lines = "\n".join(f"{number}. {what}" for number, what in enumerate(PRECEDENCE, start=1))
    safe = ", ".join(sorted(IDEMPOTENT_METHODS))
    return _section(
        "## What decides",
        "From the outermost exception inwards (`__cause__`, then `__context__` unless it is suppressed), the first "
        "that says something definite decides. A wrapper decides only if nothing below it does. A mistake in code "
        "(`TypeError`, `KeyError`) is not blamed on what was merely being handled when it was raised. Of an exception "
        "group the permanent member weighs most, then one of unknown outcome, then the longest delay. For one "
        "exception:",
        f"{lines}\n",
        "`unavailable` becomes `ambiguous` only with evidence that something was sent: a failure left a block of "
        "`sending()`, or httpx or requests (aiohttp only with a status) tell that an HTTP request got no answer, "
        f"or 500, 502 or 504, whose method is none of {safe} and which carries no `Idempotency-Key`. SQLSTATE "
        "08007 and 40003 say so themselves. With evidence, what nobody has decided about is `ambiguous` too, but "
        "for mistakes in code. The evidence counts wherever it is, also on an exception that was merely being "
        "handled, unless what carries it was surely not taken.",
        "An answer or a file that is no JSON or no text (`JSONDecodeError`, `UnicodeDecodeError`) is `data_integrity`: "
        "nobody's input. pydantic's `ValidationError` is `invalid_input`, since mostly it is about what a caller sent; "
        "where a model of your own checks an answer or a row, catch it there and raise `DataIntegrityError` from it.",
    )


def _runbook() -> str:
    return "\n".join(
        (
            _section("## What to do", AGAIN),
            *(_section(f"### {kind}", RUNBOOK[kind]) for kind in ErrorKind),
            _section("### workflow_task", WORKFLOW_TASK),
        )
    )


def _systems() -> Iterator[str]:
    for system, table in TABLES.items():
        rows = ((f"`{code}`", decision.name, _link(decision.kind)) for code, decision in table.items())
        body = _by_kind(table) if system == "errno" else _table(("code", "name", "kind"), rows)
        yield _section(f"## Codes: {system}", _ABOUT[system], body)


def _by_kind(table: dict[str, Decision]) -> str:
    """Group codes that have no names of their own."""
    kinds = dict.fromkeys(decision.kind for decision in table.values())
    named = {kind: [f"`{code}`" for code, decision in table.items() if decision.kind is kind] for kind in kinds}
    return _table(("kind", "codes"), ((_link(kind), ", ".join(codes)) for kind, codes in named.items()))


def _time_outs() -> str:
    found = [one for name in time_outs() for one in time_out_named(name)]
    return _section(
        "## Codes: Temporal's time-outs",
        "After the three that begin when work begins, nobody knows how far it came. But the server itself retries "
        "after START_TO_CLOSE and HEARTBEAT, as often as the retry policy allows, whatever is decided here: give an "
        "activity that must not be done twice `maximum_attempts=1`, list `TemporalTimeout:StartToClose` and "
        "`TemporalTimeout:Heartbeat` in `non_retryable_error_types`, or make it idempotent.",
        _table(("time-out", "kind"), ((f"`{one.decision.source}`", _link(one.decision.kind)) for one in found)),
    )


def _types() -> Iterator[str]:
    libraries: dict[str, list[str]] = {}
    for name in TYPES:
        libraries.setdefault(_library(name), []).append(name)
    for library, names in libraries.items():
        rows = (_type_row(name) for name in names)
        yield _section(f"## Classes: {library}", _table(("class", "it means", "kind", "wrapper"), rows))


def _type_row(name: str) -> tuple[str, ...]:
    decision, wrapper = TYPES[name]
    return f"`{name}`", decision.name, _link(decision.kind), "yes" if wrapper else ""


def _no_failures() -> str:
    rows = ((f"`{name}`", f"`{code}`") for name, code in NO_FAILURES.items())
    return _section(
        "## What is no failure",
        "Never retried, never logged above DEBUG, and passed on as it is.",
        _table(("class", "code"), rows),
    )


def _library(name: str) -> str:
    top = name.partition(".")[0]
    return _BUILT_IN if top in _STANDARD else {"pydantic_core": "pydantic", "psycopg_pool": "psycopg"}.get(top, top)


def _link(kind: ErrorKind) -> str:
    return f"[`{kind}`](#{kind})"


def _section(*paragraphs: str) -> str:
    """Put paragraphs together; what ends with a line break is a table or a list and stays as it is."""
    return "\n".join(one if one.endswith("\n") else f"{_filled(one)}\n" for one in paragraphs)


def _filled(prose: str) -> str:
    """Break lines, but not within a command, which people copy."""
    whole = re.sub(r"`[^`]+`", lambda code: code[0].replace(" ", _GLUE), prose.replace("\n", " "))
    return textwrap.fill(whole, _WIDTH, break_long_words=False, break_on_hyphens=False).replace(_GLUE, " ")


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (columns, ("---",) * len(columns), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
