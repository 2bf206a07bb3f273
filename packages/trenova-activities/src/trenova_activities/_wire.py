"""What every model on the wire has in common."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

MAX_ID: Final = 100
"""Characters of an identifier, as in the TMS's columns."""

Id = Annotated[str, Field(min_length=1, max_length=MAX_ID)]
"""An identifier of the TMS: a prefix and a ULID."""


_MAX_BIGINT = 2**63 - 1


class WireModel(BaseModel):
    """A payload: camelCase on the wire, strict about types, and forgiving about fields it does not know.

    Values are never coerced (``"3"`` is no count) and never repeated in a validation error. A null is an
    absent field, because that is what a nil map or slice of a Go caller becomes.
    New fields have defaults, so that histories from before them stay readable.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="ignore",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, values: object) -> object:
        if isinstance(values, dict):
            return {name: value for name, value in values.items() if value is not None}
        return values


class TenantPayload(WireModel):
    """A payload of one tenant; every statement of its job carries both ids.

    Attributes:
        organization_id: The organization (``org_``).
        business_unit_id: The business unit (``bu_``).
        timestamp: When the caller asked, in unix seconds; informative.
        metadata: The caller's own notes; carried, never interpreted.
    """

    organization_id: Id
    business_unit_id: Id
    timestamp: Annotated[int, Field(ge=0, le=_MAX_BIGINT)] | None = None
    metadata: dict[str, object] = Field(default_factory=dict)
