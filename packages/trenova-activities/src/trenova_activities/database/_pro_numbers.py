"""Pro numbers: how they look, and how a batch of them is reserved."""

import secrets
import string
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import Table, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._catalog import label
from trenova_activities.database._ids import new_id
from trenova_activities.database._rows import insertable
from trenova_activities.database._tenant import Tenant

_FIELDS = frozenset({"yy", "mm", "location", "sequence", "random"})
_MAX_LENGTH = 100  # characters of shipments.pro_number
_LONGEST_SEQUENCE = 9_999_999_999
_MAX_RANDOM_DIGITS = 12


class ProNumberFormat(BaseModel):
    """How the pro numbers of an organization look.

    Attributes:
        pattern: Literal text and the fields ``{yy}``, ``{mm}``, ``{location}``, ``{sequence:04}`` (at least
            four digits, more when needed) and ``{random:06}`` (six random digits). ``{sequence}`` is required,
            since it is what makes a number unique.
        location_code: Two digits for ``{location}``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern: str = "S{yy}{mm}{location}{sequence:04}{random:06}"
    location_code: str = Field(default="12", pattern=r"^\d{2}$")

    @field_validator("pattern")
    @classmethod
    def _readable(cls, value: str) -> str:
        try:
            parts = [part for part in string.Formatter().parse(value) if part[1] is not None]
            fields = {str(name): spec for _, name, spec, _ in parts}
            widths = {name: int(spec or 0) for name, spec in fields.items()}
        except ValueError:
            raise ValueError("is not a pattern; write e.g. S{yy}{mm}{location}{sequence:04}{random:06}") from None
        if unknown := sorted(set(widths) - _FIELDS):
            raise ValueError(f"has unknown fields {unknown}; known are {sorted(_FIELDS)}")
        if any(conversion for *_, conversion in parts):
            raise ValueError("has a conversion such as !r; write the fields without")
        if "sequence" not in widths:
            raise ValueError("has no {sequence}; without it numbers would repeat")
        if not 0 <= widths.get("random", 0) <= _MAX_RANDOM_DIGITS:
            raise ValueError(f"asks for more than {_MAX_RANDOM_DIGITS} random digits")
        longest = value.format(yy="00", mm="00", location="00", sequence=_LONGEST_SEQUENCE, random=0)
        if len(longest) > _MAX_LENGTH:
            raise ValueError(f"gives up to {len(longest)} characters; a pro number has at most {_MAX_LENGTH}")
        return value

    def number(self, sequence: int, at: int) -> str:
        """Write one number.

        Args:
            sequence: The position within the month; beyond its width it takes further digits.
            at: When it is given, in unix seconds; year and month are those of UTC.
        """
        moment = datetime.fromtimestamp(at, UTC)
        widths = {name: int(spec or 0) for _, name, spec, _ in string.Formatter().parse(self.pattern) if name}
        return self.pattern.format(
            yy=f"{moment.year % 100:02}",
            mm=f"{moment.month:02}",
            location=self.location_code,
            sequence=sequence,
            random=secrets.randbelow(10 ** (widths.get("random") or 1)),
        )


class ProNumberOptions(BaseModel):
    """The formats of all organizations.

    Attributes:
        default: For organizations that have none of their own.
        organizations: By organization id.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: ProNumberFormat = ProNumberFormat()
    organizations: dict[str, ProNumberFormat] = Field(default_factory=dict)

    def format_of(self, organization_id: str) -> ProNumberFormat:
        """Return the format that an organization uses."""
        return self.organizations.get(organization_id, self.default)


async def reserve_sequence(
    connection: AsyncConnection, sequences: Table, tenant: Tenant, *, count: int, at: int
) -> range:
    """Advance the tenant's pro-number sequence of the month once, for a whole batch.

    The row stays locked until the transaction ends, so a rolled back batch leaves no gap.

    Returns:
        The reserved positions, ``count`` of them; the first of a month is 1.
    """
    moment = datetime.fromtimestamp(at, UTC)
    kind = label(sequences.c.sequence_type, "pro_number")
    row: dict[str, Any] = {
        **tenant.values,
        "id": new_id("seq"),
        "sequence_type": kind,
        "year": moment.year,
        "month": moment.month,
        "current_sequence": count,
        "version": 0,
        "created_at": at,
        "updated_at": at,
    }
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(sequences).values(insertable(sequences, row))
    changes: dict[str, Any] = {"current_sequence": sequences.c.current_sequence + count, "updated_at": at}
    if "version" in sequences.c:
        changes["version"] = func.coalesce(sequences.c.version, 0) + 1
    advanced = statement.on_conflict_do_update(
        index_elements=["sequence_type", "organization_id", "business_unit_id", "year", "month"],
        set_=insertable(sequences, changes),
    ).returning(sequences.c.current_sequence)
    last = int((await connection.execute(advanced)).scalar_one())
    return range(last - count + 1, last + 1)
