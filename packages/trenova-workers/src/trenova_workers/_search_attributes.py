"""Registers search attributes, and makes sure that the server took them."""

from collections.abc import Mapping, Sequence
from typing import Any

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ConfigurationError
from trenova_workers._service import Finding

Wanted = Mapping[str, IndexedValueType.ValueType]


def wanted_attributes(keys: Sequence[SearchAttributeKey[Any]]) -> Wanted:
    """Return the type of each key by its name, as the server's API writes them."""
    return {key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in keys}


async def register_search_attributes(client: Client, wanted: Wanted) -> list[str]:
    """Register what is missing and return its names.

    Raises:
        ConfigurationError: A name is taken with another type (the server would accept the
            registration and change nothing), or the server refuses.
    """
    if not wanted:
        return []
    there = await registered_attributes(client)
    _refuse_other_types(client, wanted, there)
    missing = {name: kind for name, kind in wanted.items() if name not in there}
    if missing:
        await _add(client, missing)
        there = await registered_attributes(client)
        _refuse_other_types(client, wanted, there)
        lost = sorted(set(missing) - set(there))
        if lost:
            raise ConfigurationError(
                f"The server accepted the search attributes {lost} and does not list them; "
                f"check namespace {client.namespace!r} and its limits."
            )
    return sorted(missing)


async def check_search_attributes(client: Client, wanted: Wanted) -> list[Finding]:
    """Compare without changing anything."""
    try:
        there = await registered_attributes(client)
    except ConfigurationError as error:
        return [Finding("search attributes", ok=False, detail=error.message)]
    return [_finding(name, kind, there.get(name)) for name, kind in wanted.items()]


def _finding(name: str, kind: IndexedValueType.ValueType, found: IndexedValueType.ValueType | None) -> Finding:
    needed = attribute_type(kind)
    if found is None:
        detail = f"missing, needed as {needed}; run 'prepare'"
    elif found != kind:
        detail = f"is {attribute_type(found)}, needed is {needed}; remove it or use another namespace"
    else:
        detail = needed
    return Finding(f"search attribute {name}", ok=found == kind, detail=detail)


async def registered_attributes(client: Client, *, system: bool = True) -> dict[str, IndexedValueType.ValueType]:
    """Return the type of each registered attribute, without the server's own if ``system`` is false.

    Raises:
        ConfigurationError: The server does not list them.
    """
    try:
        answer = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError as error:
        raise ConfigurationError(
            f"The search attributes of namespace {client.namespace!r} cannot be listed: {error.message}."
        ) from None
    return {**answer.custom_attributes, **(answer.system_attributes if system else {})}


async def _add(client: Client, missing: Wanted) -> None:
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=dict(missing))
        )
    except RPCError as error:
        if error.status == RPCStatusCode.ALREADY_EXISTS:  # another process was faster; the caller compares types
            return
        raise ConfigurationError(
            f"The server refuses the search attributes {sorted(missing)} for namespace {client.namespace!r}: "
            f"{error.message}. Remove unused ones, or have an operator add these."
        ) from None


def _refuse_other_types(client: Client, wanted: Wanted, there: Wanted) -> None:
    for name, kind in wanted.items():
        if name in there and there[name] != kind:
            raise ConfigurationError(
                f"The search attribute {name!r} of namespace {client.namespace!r} has type "
                f"{attribute_type(there[name])}, needed is {attribute_type(kind)}. Remove it or use another namespace.",
                search_attribute=name,
            )


def attribute_type(kind: IndexedValueType.ValueType) -> str:
    """Return a type as people write it, e.g. ``KeywordList``."""
    words = IndexedValueType.Name(kind).removeprefix("INDEXED_VALUE_TYPE_").split("_")
    return "".join(word.capitalize() for word in words)
