"""Routing for command line tools, found by them in the entry-point group ``trenova.client_plugins``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from temporalio.client import Plugin

from trenova_workers.routing._plugin import RoutingPlugin
from trenova_workers.routing._router import Router

__all__ = ["RULES_VARIABLE", "plugin"]

RULES_VARIABLE: Final = "TRENOVA_ROUTING__RULES"
"""The variable that names the file of rules, for services as for tools."""


def plugin(environ: Mapping[str, str]) -> Plugin | None:
    """Return the plugin for the rules that ``TRENOVA_ROUTING__RULES`` names, or None where it names none.

    Args:
        environ: The environment of the process.

    Raises:
        ConfigurationError: The file cannot be read or does not hold.
    """
    named = environ.get(RULES_VARIABLE)
    return RoutingPlugin(Router.from_file(Path(named))) if named and named != "null" else None
