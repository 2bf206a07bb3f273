"""Whether the options of a worker fit its work, its database and this machine."""

from typing import Any

from trenova_workers._doctor._check import Check, Need
from trenova_workers._doctor._diagnosis import Diagnosis
from trenova_workers._doctor._patient import Patient
from trenova_workers._doctor._services import Described


class OptionsCheck(Check):
    """The service works it out itself, because only it knows its activities; the doctor reads the result."""

    id = "options"
    about = "slots against database pool and memory, grace against container and activities, heartbeats, pollers"
    needs = frozenset({Need.SERVICES})

    async def examine(self, patient: Patient) -> list[Diagnosis]:
        """Read what `config show --json` lists as problems."""
        return [diagnosis for service in patient.described for diagnosis in self._service(service)] or [
            self.skipped("", "no service says what its options are")
        ]

    def _service(self, service: Described) -> list[Diagnosis]:
        if "problems" not in service.shown:
            return [self.skipped(service.name, "it does not compare its options with its work; upgrade it")]
        problems = [self._problem(service, one) for one in service.shown["problems"]]
        return problems or [self.ok(service.name, _fits(service))]

    def _problem(self, service: Described, one: dict[str, Any]) -> Diagnosis:
        source = next((s["source"] for s in service.shown["settings"] if s["key"] == one["key"]), "")
        told = f" ({one['value']}, {source})" if source else f" ({one['value']})"
        found = f"{one['key']}{told}: {one['said']}"
        return (self.problem if one["fatal"] else self.warning)(service.name, found, f"{one['fix']}.")


def _fits(service: Described) -> str:
    """Say what was compared; a service that knows nothing of its work is not called healthy for it."""
    limits = service.shown.get("limits") or {}
    known = {
        "longest_start_to_close_s": "grace",
        "shortest_heartbeat_timeout_s": "heartbeats",
        "database_connections": "database pool",
    }
    compared = [name for key, name in known.items() if limits.get(key) is not None]
    unknown = [name for key, name in known.items() if limits.get(key) is None]
    said = f"fit what is known of its work ({', '.join(compared)})" if compared else "hold"
    return f"its options {said}" + (f"; it does not say: {', '.join(unknown)}" if unknown else "")
