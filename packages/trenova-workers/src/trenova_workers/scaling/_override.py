"""What a person tells a pool."""

from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from trenova_workers.scaling._document import ScalingDocument


class Override(ScalingDocument):
    """A number of workers that a person wants until a moment, whatever the load is.

    It goes before every other rule but the bounds of the policy, and before the calm of cool-downs. A version that
    must not be without workers keeps one.

    Attributes:
        count: Workers.
        until: From this moment on it counts no more.
        by: Who told.
        reason: Why, for who reads it later.
    """

    count: int = Field(ge=0)
    until: AwareDatetime
    by: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]
