"""Three ways at once: what is defined now, what was defined when it was last applied, what is there.

Pure; field by field:

    there = defined                        nothing to do
    there = as applied                     nobody touched it: becomes as defined
    there is neither                       somebody changed it: kept, and told as an override
    nothing was ever applied               nobody knows who is right: kept, and told as an override
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from trenova_schedules._reconciling._fields import Fields
from trenova_schedules._reconciling._record import as_recorded


class FieldChange(BaseModel):
    """One field that becomes as defined.

    Attributes:
        field: Its name on the wire.
        old: What is there; None of a schedule that does not exist yet.
        new: What is defined.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    field: str
    old: Any
    new: Any


class FieldOverride(BaseModel):
    """One field that somebody changed on the server, and that is therefore left alone.

    Attributes:
        field: Its name on the wire.
        kept: What is there.
        defined: What the definition says.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    field: str
    kept: Any
    defined: Any


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What follows for one schedule.

    Attributes:
        changes: Fields to write.
        overrides: Fields to leave.
        record: What is to be remembered as applied: the definition, but of an override what was applied before, so
            that it ends when somebody takes it back.
    """

    changes: tuple[FieldChange, ...]
    overrides: tuple[FieldOverride, ...]
    record: Mapping[str, Any]


def merge(defined: Fields, applied: Fields | None, there: Fields, *, overwrite: bool = False) -> Merged:
    """Compare field by field.

    Args:
        defined: All fields of the definition.
        applied: As recorded when it was last applied; None where that never happened.
        there: The fields that the server keeps; of those that only the record keeps, none.
        overwrite: Let the definition win over whoever changed something.
    """
    changes, overrides, record = [], [], {}
    for name, wanted in defined.items():
        before = (applied or {}).get(name)
        known = applied is not None and name in applied
        found = there.get(name, before)
        record[name] = as_recorded(name, wanted)
        if found == wanted or not (known or name in there):
            continue
        # A field that a record lacks is one that definitions did not manage yet, so nobody can have overridden it.
        untouched = before == as_recorded(name, found) if known else applied is not None
        if overwrite or untouched or name not in there:
            changes.append(FieldChange(field=name, old=found, new=wanted))
            continue
        overrides.append(FieldOverride(field=name, kept=found, defined=wanted))
        if known:
            record[name] = before
    return Merged(changes=tuple(changes), overrides=tuple(overrides), record=record)
