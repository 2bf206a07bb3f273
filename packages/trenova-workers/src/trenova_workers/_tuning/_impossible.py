"""A combination of options that cannot work, told in the one form that every such message has."""

from typing import Any

from pydantic_core import PydanticCustomError

IMPOSSIBLE = "impossible_combination"
"""The type of the error; its context says which ``key`` below the model that raises it is at fault."""


def impossible(key: str, value: Any, said: str, fix: str) -> PydanticCustomError:
    """Return the error to raise in a validator.

    Args:
        key: The field of the validating model that has to change; dots between levels.
        value: What it is now. No secret.
        said: What is wrong with it, as the rest of a sentence; the values of others are in it.
        fix: What to do, a sentence without its full stop.
    """
    context = {"key": key, "value": value, "said": said, "fix": fix}
    return PydanticCustomError(IMPOSSIBLE, "{key} {said}, got {value}. {fix}", context)
