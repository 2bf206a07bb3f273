"""Our own commands, parsed by their own parsers: options, values, choices and arguments; nothing is run."""

from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from typing import Any

import typer
from doc_pages import told
from typer._click.exceptions import ClickException, NoArgsIsHelpError

import trenova_activities.cli
import trenova_codecs.cli
import trenova_errors.cli
import trenova_schedules.cli
from notification_worker.__main__ import SERVICE as NOTIFICATIONS
from shipment_worker.__main__ import SERVICE as SHIPMENTS
from system_worker.__main__ import SERVICE as SYSTEM
from trenova_workers._cli_service import service_app
from trenova_workers._cli_workers import workers_app

SERVICES = {service.name: service for service in (SHIPMENTS, NOTIFICATIONS, SYSTEM)}
AND_SO_ON = "..."
"""A word that says that more is to be given here; what is missing then is not held against a command."""


@cache
def programs() -> dict[str, Any]:
    """Our commands as typer makes them, with everything but the parsing of words taken out."""
    apps = {
        "trenova-activities": trenova_activities.cli.app,
        "trenova-codecs": trenova_codecs.cli.app,
        "trenova-errors": trenova_errors.cli.app,
        "trenova-schedules": trenova_schedules.cli.app,
        "trenova-workers": workers_app(),
        **{name: service_app(service) for name, service in SERVICES.items()},
    }
    found = {name: typer.main.get_command(app) for name, app in apps.items()}
    for command in found.values():
        _silence(command)
    return found


def _silence(command: Any) -> None:
    """Let a command and all below it do nothing, and ask for nothing that a variable may tell it."""
    command.callback = None
    for param in command.params:
        if param.envvar:
            param.required, param.envvar = False, None
    for one in getattr(command, "commands", {}).values():
        _silence(one)


def refused(words: Sequence[str], *, named: bool = False) -> str | None:
    """What the parser of one of our programs has against its words.

    Args:
        words: The name of the program, and all that follows.
        named: Whether naming a command is enough, and what it wants may be left out.
    """
    name, *rest = words
    if named and _is_named(programs()[name], rest):
        return None
    said = _said(name, [told(word) for word in rest])
    if said and rest[-1:] == [AND_SO_ON]:
        said = _said(name, [told(word) for word in rest[:-1]])
        return None if said is None or said.startswith("Missing ") else said
    return said


def incomplete(words: Sequence[str]) -> bool:
    """Whether a command, or a group of them, only says its name and nothing of what it wants."""
    return _is_named(programs()[words[0]], words[1:]) and _problem(words[0], words[1:]) is not None


def _said(name: str, words: Sequence[str]) -> str | None:
    problem = _problem(name, words)
    return None if problem is None or isinstance(problem, NoArgsIsHelpError) else problem.format_message()


def _problem(name: str, words: Sequence[str]) -> ClickException | None:
    """What a parser raises; a group without a command only shows its help, which is a problem of a kind."""
    try:
        with redirect_stdout(StringIO()):
            programs()[name].main(list(words), prog_name=name, standalone_mode=False)
    except ClickException as error:
        return error
    return None


def _is_named(command: Any, rest: Sequence[str]) -> bool:
    """Whether all words lead to a command or a group, and nothing is said to it."""
    for word in rest:
        if word not in getattr(command, "commands", {}):
            return False
        command = command.commands[word]
    return True
