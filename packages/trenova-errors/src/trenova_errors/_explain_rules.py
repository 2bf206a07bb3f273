"""Rules of a user's program, found by name."""

import importlib

from trenova_errors._rules import RuleSet
from trenova_errors._types import InvalidInputError


def load_rules(reference: str) -> RuleSet:
    """Import rules.

    Args:
        reference: ``module:attribute`` of a :class:`RuleSet`, e.g. ``my_app.errors:RULES``.

    Raises:
        InvalidInputError: There is no such module or attribute, it fails to be imported, or it is something else.
    """
    name, colon, path = reference.partition(":")
    if not (name and colon and path):
        raise InvalidInputError(f"Rules are named module:attribute, e.g. my_app.errors:RULES; got {reference!r}.")
    found: object = _module(name)
    for part in path.split("."):
        if not hasattr(found, part):
            raise InvalidInputError(f"The module {name!r} has no attribute {path!r}; name a RuleSet.")
        found = getattr(found, part)
    if not isinstance(found, RuleSet):
        raise InvalidInputError(f"{reference!r} is of type {type(found).__name__}, not RuleSet. Write RuleSet([...]).")
    return found


def _module(name: str) -> object:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise InvalidInputError(
            f"There is no module {error.name!r}, needed for the rules in {name!r}. Start the command in the folder "
            "that holds it, or install it here."
        ) from error
    except Exception as error:
        raise InvalidInputError(
            f"The module {name!r} fails to be imported ({type(error).__name__}). Mend it; "
            f"'python -c \"import {name}\"' shows where."
        ) from error
