"""What callers send."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class _Body(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class OverrideBody(_Body):
    """A number of workers for a while.

    Attributes:
        count: How many.
        until: When it ends by itself.
        reason: Why.
    """

    count: int = Field(ge=0, le=10_000)
    until: AwareDatetime
    reason: Why


class ReasonBody(_Body):
    """Why something is done."""

    reason: Why
