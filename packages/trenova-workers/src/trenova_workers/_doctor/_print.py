"""Prints diagnoses: for people a line each with what to do below, for programs one JSON object a line."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from rich.text import Text

from trenova_workers._doctor._diagnosis import Diagnosis, Severity
from trenova_workers._up._screen import Screen, clean

_STYLES = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.PROBLEM: "bold red", Severity.SKIPPED: "dim"}
_WORD = max(map(len, Severity)) + 2


def print_json(found: Sequence[Diagnosis], file: TextIO) -> None:
    """One object a line."""
    file.writelines(json.dumps(one.as_json()) + "\n" for one in found)


def print_lines(found: Sequence[Diagnosis], file: TextIO) -> None:
    """Aligned columns, coloured on a terminal only, and a last line that counts."""
    screen = Screen(file)
    width = max((len(one.check) for one in found), default=0) + 2
    for one in found:
        subject = f"{one.subject}: " if one.subject else ""
        said = clean(_one_line(f"{one.check:<{width}}{subject}{one.found}"), colour=False)
        screen.show(Text.assemble((f"{one.severity:<{_WORD}}", _STYLES[one.severity]), said))
        for label, text in (("do", one.advice), ("done", one.fixed)):
            if text:
                screen.show(Text(f"{'':<{_WORD + width}}{label}: {clean(_one_line(text), colour=False)}"))
    screen.show(Text(_summary(found)))


def _one_line(text: str) -> str:
    return text.replace("\n", " / ")


def _summary(found: Sequence[Diagnosis]) -> str:
    counts = Counter(one.severity for one in found)
    words = [f"{counts[severity]} {_plural(severity, counts[severity])}" for severity in Severity if counts[severity]]
    fixable = sum(one.fix is not None for one in found)
    return f"{', '.join(words)}." + (f" --fix can put {fixable} right." if fixable else "")


def _plural(severity: Severity, count: int) -> str:
    counted = severity in (Severity.WARNING, Severity.PROBLEM) and count > 1
    return f"{severity}s" if counted else str(severity)
