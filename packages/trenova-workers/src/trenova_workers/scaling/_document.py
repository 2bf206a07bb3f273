"""What all documents of scaling have in common."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class ScalingDocument(BaseModel):
    """Frozen, camelCase on the wire, forgiving about fields that a newer version added; times are aware."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )
