"""Whether the search attributes that services use are registered, each with its type, and whether there is room."""

from collections import Counter
from functools import partial

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.workflowservice.v1 import GetClusterInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError

from trenova_errors import ConfigurationError
from trenova_workers._doctor._check import Check, Need
from trenova_workers._doctor._diagnosis import Diagnosis
from trenova_workers._doctor._patient import Patient
from trenova_workers._search_attributes import attribute_type, register_search_attributes, registered_attributes

# Columns that the server's SQL schema sets aside for custom attributes, by type (visibility schema v1.x).
_SQL_STORES = ("sqlite", "mysql", "mysql8", "postgres", "postgres12")
_SQL_ROOM = {"Keyword": 10}
_SQL_ROOM_OF_OTHERS = 3

_TYPES = {
    attribute_type(kind): kind
    for kind in IndexedValueType.values()
    if kind != IndexedValueType.INDEXED_VALUE_TYPE_UNSPECIFIED
}


class AttributesCheck(Check):
    """The server answers OK to a second registration with another type and changes nothing, so only looking helps."""

    id = "search-attributes"
    about = "every search attribute that a service uses is registered with its type, and the namespace has room"
    needs = frozenset({Need.SERVICES, Need.SERVER})

    async def examine(self, patient: Patient) -> list[Diagnosis]:
        """Compare what the services name with what the server lists."""
        silent = [s.name for s in patient.described if "search_attributes" not in s.shown]
        skipped = [self.skipped(name, "it does not name its search attributes; upgrade it") for name in silent]
        wanted, clashes = self._wanted(patient)
        client = patient.client
        if not wanted or client is None:
            return [*skipped, *clashes] or [self.ok("", "no service uses any")]
        try:
            there = {name: attribute_type(kind) for name, kind in (await registered_attributes(client)).items()}
            room = await self._room(client, wanted, there)
        except ConfigurationError as error:
            return [self.problem("", error.message, "Give this identity the right to list search attributes.")]
        return [*skipped, *clashes, *(self._one(client, *one, there) for one in wanted.items()), *room]

    def _wanted(self, patient: Patient) -> tuple[dict[str, tuple[str, str]], list[Diagnosis]]:
        """Return type and user by name, and the names that two services want with two types."""
        wanted: dict[str, tuple[str, str]] = {}
        clashes = []
        for service in patient.described:
            for name, kind in service.shown.get("search_attributes", {}).items():
                known, user = wanted.setdefault(name, (kind, service.name))
                if known != kind:
                    found = f"{user} needs it as {known}, {service.name} as {kind}"
                    clashes.append(self.problem(name, found, "A namespace has one type for it: rename one of the two."))
        return wanted, clashes

    def _one(self, client: Client, name: str, of: tuple[str, str], there: dict[str, str]) -> Diagnosis:
        kind, user = of
        if there.get(name) == kind:
            return self.ok(name, kind)
        if name in there:
            found = f"is {there[name]}, {user} needs {kind}; registering it again would answer OK and change nothing"
            remove = f"temporal operator search-attribute remove -n {client.namespace} --name {name}"
            return self.problem(name, found, f"Use another namespace, or once nothing needs the old one: {remove}")
        advice = f"`trenova-workers doctor --fix` registers it, and so does `{user} prepare`."
        return self.problem(
            name, f"is missing, {user} needs it as {kind}", advice, partial(_register, client, name, kind)
        )

    async def _room(self, client: Client, wanted: dict[str, tuple[str, str]], there: dict[str, str]) -> list[Diagnosis]:
        """Count the free columns by type; only stores with a fixed schema have a known number."""
        try:
            info = await client.workflow_service.get_cluster_info(GetClusterInfoRequest())
        except RPCError:  # Temporal Cloud does not tell, and has limits of its own
            return []
        if info.visibility_store not in _SQL_STORES:
            return []
        custom = await registered_attributes(client, system=False)
        used = Counter(attribute_type(kind) for kind in custom.values())
        missing = Counter(kind for name, (kind, _) in wanted.items() if name not in there)
        return [
            self.problem(
                kind,
                f"{used[kind]} of {_room_of(kind)} attributes of this type are taken, {count} more are needed",
                "Remove unused ones (temporal operator search-attribute list, then remove), or use another namespace.",
            )
            for kind, count in missing.items()
            if used[kind] + count > _room_of(kind)
        ]


def _room_of(kind: str) -> int:
    return _SQL_ROOM.get(kind, _SQL_ROOM_OF_OTHERS)


async def _register(client: Client, name: str, kind: str) -> str:
    await register_search_attributes(client, {name: _TYPES[kind]})
    return f"registered {name} as {kind} in namespace {client.namespace}"
