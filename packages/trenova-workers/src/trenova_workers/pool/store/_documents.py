"""The base of everything that goes over the wire: frozen, camelCase, unknown fields ignored on read."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class PoolDocument(BaseModel):
    """A document of the pool manager."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True)
