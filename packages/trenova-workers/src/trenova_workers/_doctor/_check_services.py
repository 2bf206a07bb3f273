"""Whether each installed service can be asked at all, and what its own ``check`` finds."""

from trenova_workers._doctor._check import Check, Need
from trenova_workers._doctor._check_registrations import SUBJECTS
from trenova_workers._doctor._diagnosis import Diagnosis
from trenova_workers._doctor._patient import Patient
from trenova_workers._doctor._services import Described
from trenova_workers._service import Finding

# What other checks of the doctor tell.
_ELSEWHERE = ("temporal server", "search attribute", *SUBJECTS)


class ServicesCheck(Check):
    """Settings, databases, keys and clocks, as the services themselves see them."""

    id = "services"
    about = "each service's settings hold, and its own check (databases, keys, clocks) finds nothing amiss"
    needs = frozenset({Need.SERVICES, Need.FINDINGS})

    async def examine(self, patient: Patient) -> list[Diagnosis]:
        """Read the answers of every service."""
        return [diagnosis for service in patient.services for diagnosis in self._service(service)]

    def _service(self, service: Described) -> list[Diagnosis]:
        name, module = service.name, service.service.module
        if service.refusal:
            advice = f"Run `python -m {module} config show` and do what it says; until then nothing of it is looked at."
            return [self.problem(name, service.refusal, advice)]
        if service.findings is None:
            return [self.skipped(name, "its settings hold; its own check needs the network (--offline)")]
        if service.unchecked:
            return [self.problem(name, service.unchecked, f"Run `python -m {module} check` and do what it says.")]
        own = [one for one in service.findings if not one.subject.startswith(_ELSEWHERE)]
        return [self._finding(name, one) for one in own] or [
            self.ok(name, "its settings hold, and it checks nothing of its own")
        ]

    def _finding(self, name: str, finding: Finding) -> Diagnosis:
        subject = f"{name}: {finding.subject}"
        if finding.ok:
            return self.ok(subject, finding.detail)
        return self.problem(subject, finding.detail, f"Put it right as the finding says, then `{name} check`.")
