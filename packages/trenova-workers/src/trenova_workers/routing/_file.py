"""Rules in a file: read, checked, and read again when it changes."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from trenova_errors import ConfigurationError
from trenova_workers.routing._beneath import beneath
from trenova_workers.routing._problems import in_words, problems_in
from trenova_workers.routing._rules import RoutingRules

LOOK_EVERY_S: Final = 2.0
"""Seconds between two looks at the file."""

_log = logging.getLogger(__name__)

_State = tuple[int, int, int]


def load_rules(path: Path) -> RoutingRules:
    """Read rules from a YAML or JSON file.

    Raises:
        ConfigurationError: It cannot be read or does not hold; one line for each problem, with the file, the rule,
            the key, the value and what to do.
    """
    data = _parse(path)
    try:
        return RoutingRules.model_validate(data)
    except ValidationError as error:
        told = problems_in(RoutingRules, data, error)
        hidden = beneath(RoutingRules, data, error, told)
        raise ConfigurationError(in_words([*told, *hidden], str(path))) from None


class RulesFile:
    """A file of rules, looked at again when a start asks, from time to time.

    A file that has become bad, or is gone, is logged once and changes nothing; so is each further bad version.
    """

    def __init__(
        self, path: Path, *, every_s: float = LOOK_EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read it for the first time.

        Args:
            path: Where it is; links are followed, so a mounted one that is exchanged is noticed.
            every_s: Seconds between two looks.
            clock: Seconds that never go back.

        Raises:
            ConfigurationError: As for `load_rules`.
        """
        self.path = path
        self._every_s = every_s
        self._clock = clock
        self._next_look = clock() + every_s
        self._seen = _state(path)
        self.rules = load_rules(path)

    def newer(self) -> RoutingRules | None:
        """Return the rules if the file has changed to others since the last call; looks every ``every_s`` at most."""
        now = self._clock()
        if now < self._next_look:
            return None
        self._next_look = now + self._every_s
        return self.read_again()

    def read_again(self) -> RoutingRules | None:
        """Do so at once."""
        state = _state(self.path)
        if state == self._seen:
            return None
        self._seen = state
        try:
            self.rules = load_rules(self.path)
        except ConfigurationError as error:
            # In the message, since plain logging shows nothing else.
            _log.warning(
                "new routing rules in %s are refused; the old ones stay in force: %s",
                self.path,
                error.message.replace(f"{self.path}: ", "").replace("\n", " / "),
                extra={"file": str(self.path), "reason": error.message},
            )
            return None
        _log.info("new routing rules are in force", extra={"file": str(self.path), "rules": len(self.rules.rules)})
        return self.rules


def _state(path: Path) -> _State | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _parse(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML
    except FileNotFoundError:
        raise ConfigurationError(
            f"The routing rules {str(path)!r} do not exist. Correct routing.rules (TRENOVA_ROUTING__RULES) or --rules."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}. Correct the file or its rights.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise ConfigurationError(f"{path}: not YAML{where}: {problem}. Correct it there.") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path}: holds a {type(data).__name__}. Write keys, such as 'rules:' and a list.")
    return data
