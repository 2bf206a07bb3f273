"""What is known of a start: read off its search attributes and arguments, or asked of a function."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from temporalio.common import SearchAttributeKey, TypedSearchAttributes
from temporalio.converter import PayloadConverter

from trenova_workers.routing._requests import StartRequest

ORGANIZATION_ATTRIBUTE: Final = "TrenovaOrganizationId"
"""The search attribute that names the organization of a run."""

_ORGANIZATION: Final = SearchAttributeKey.for_keyword(ORGANIZATION_ATTRIBUTE)


class AsksSize(Protocol):
    """A router, as far as it says whether size matters."""

    def asks_size(self, workflow: str, organization: str | None) -> bool:
        """Whether the size of the arguments can matter to such a start."""


Fact = Callable[[str, Sequence[Any]], str | None]
"""Takes a workflow type and its arguments and returns what is asked, or None."""


@dataclass(frozen=True)
class Facts:
    """Reads requests off starts."""

    converter: PayloadConverter
    organization: Fact | None = None
    urgency: Fact | None = None

    def request(self, start: Any, router: AsksSize) -> StartRequest:
        """Return what is known of a start; arguments are turned into bytes only where a rule asks for their size."""
        workflow, args = start.workflow, start.args
        organization = self._organization(start)
        urgency = self.urgency(workflow, args) if self.urgency else _attribute(args, "urgency")
        size = self._size(args) if router.asks_size(workflow, organization) else None
        return StartRequest(workflow, start.task_queue, organization, urgency, size)

    def _organization(self, start: Any) -> str | None:
        if self.organization is not None:
            said = self.organization(start.workflow, start.args)
            if said is not None:
                return said
        return _tagged(start) or _attribute(start.args, "organization_id")

    def _size(self, args: Sequence[Any]) -> int | None:
        try:
            return sum(payload.ByteSize() for payload in self.converter.to_payloads(args))
        except Exception:  # noqa: BLE001 (the start itself is about to say better what is wrong with its arguments)
            return None


def _tagged(start: Any) -> str | None:
    attributes = getattr(start, "typed_search_attributes", None)  # of a schedule's action
    if attributes is None:
        attributes = start.search_attributes
    if isinstance(attributes, TypedSearchAttributes):
        return attributes.get(_ORGANIZATION)
    if isinstance(attributes, Mapping):  # the SDK's old form, values in lists
        values = attributes.get(ORGANIZATION_ATTRIBUTE)
        return str(values[0]) if values else None
    return None


def _attribute(args: Sequence[Any], name: str) -> str | None:
    value = getattr(args[0], name, None) if args else None
    if value is None or callable(value):
        return None
    return str(getattr(value, "value", value))
