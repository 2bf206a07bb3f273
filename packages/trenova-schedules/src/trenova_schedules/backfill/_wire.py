"""What every model on the wire has in common."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

_MOST_NAMED = 3  # unknown fields in a message, and characters of each
_MOST_OF_A_NAME = 30


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


class ExactWireModel(WireModel):
    """A request that is refused if it has a field that is not known: to ignore one would be to do more than was asked.

    A null is an absent field here too, whatever it is called. So a field that is added later has the default None,
    which callers and workers from before it read as absent, while one that is set is refused by them.

    On the wire only the camelCase names count, so that two spellings of one field cannot contradict each other; Python
    callers may use either.
    """

    model_config = ConfigDict(extra="forbid")

    _not_for_callers: ClassVar[frozenset[str]] = frozenset()
    """Fields that only our own workflows set; a message does not offer them."""

    @model_validator(mode="before")
    @classmethod
    def _no_unknown_field(cls, values: object, info: ValidationInfo) -> object:
        if not isinstance(values, dict):
            return values
        names = {name: field.alias or name for name, field in cls.model_fields.items()}
        by_name = set() if info.mode == "json" else names.keys()
        unknown = values.keys() - by_name - set(names.values())
        found = sorted(str(name)[:_MOST_OF_A_NAME] for name in unknown if values[name] is not None)
        if found:
            raise PydanticCustomError(
                "unknown_field",
                "unknown field {found}; the fields are {known}",
                {
                    "found": ", ".join(map(repr, found[:_MOST_NAMED])),
                    "known": ", ".join(alias for name, alias in names.items() if name not in cls._not_for_callers),
                },
            )
        return values
