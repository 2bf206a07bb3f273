"""Whether live workers of one queue register the same work, and whether every schedule finds its workflow."""

from trenova_workers._doctor._check import Check, Need
from trenova_workers._doctor._diagnosis import Diagnosis
from trenova_workers._doctor._patient import Patient
from trenova_workers._doctor._services import Described
from trenova_workers._fleet._differences import SUBJECT as REGISTRATIONS
from trenova_workers._fleet._schedules import SUBJECT as SCHEDULES

SUBJECTS = (REGISTRATIONS, SCHEDULES)
"""What the findings of a service are called that tell it."""


class RegistrationsCheck(Check):
    """Each service compares for its queues: it alone knows what it would register if it ran."""

    id = "registrations"
    about = "live workers of a queue register the same, and every schedule starts a workflow that somebody registers"
    needs = frozenset({Need.SERVICES, Need.FINDINGS, Need.SERVER})

    async def examine(self, patient: Patient) -> list[Diagnosis]:
        """Read what the services' checks found about the fleet."""
        found = [diagnosis for service in patient.described for diagnosis in self._service(service)]
        return found or [self.skipped("", "no service says what it registers")]

    def _service(self, service: Described) -> list[Diagnosis]:
        told = [one for one in service.findings or () if one.subject in SUBJECTS]
        if not told:
            return [self.skipped(service.name, "its check does not look at other workers and schedules")]
        return [
            self.ok(f"{service.name}: {one.subject}", one.detail)
            if one.ok
            else self.problem(
                f"{service.name}: {one.subject}", one.detail, "`trenova-workers list` shows who polls which queue."
            )
            for one in told
        ]
