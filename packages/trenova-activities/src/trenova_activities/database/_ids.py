"""Identifiers as the TMS makes them: a prefix and a ULID."""

from ulid import ULID


def new_id(prefix: str) -> str:
    """Return a new identifier such as ``shp_01JD...`` (26 characters after the underscore)."""
    return f"{prefix}_{ULID()}"
