"""Whether each installed service can be asked at all, and what its own ``check`` finds."""

import asyncio
import json

from trenova_workers._doctor._check import Check, Need
from trenova_workers._doctor._diagnosis import Diagnosis
from trenova_workers._doctor._patient import Patient
from trenova_workers._doctor._services import Described, ask

# Those the doctor looks at itself, once for all services.
_OWN = ("temporal server", "search attribute")


class ServicesCheck(Check):
    """Settings, databases, keys and clocks, as the services themselves see them."""

    id = "services"
    about = "each service's settings hold, and its own check (databases, keys, clocks) finds nothing amiss"
    needs = frozenset({Need.SERVICES})

    async def examine(self, patient: Patient) -> list[Diagnosis]:
        """Run the verb ``check`` of every service whose settings hold."""
        found = await asyncio.gather(*(self._service(service, patient) for service in patient.services))
        return [diagnosis for diagnoses in found for diagnosis in diagnoses]

    async def _service(self, described: Described, patient: Patient) -> list[Diagnosis]:
        name, module = described.name, described.service.module
        if described.refusal:
            advice = f"Run `python -m {module} config show` and do what it says; until then nothing of it is looked at."
            return [self.problem(name, described.refusal, advice)]
        if patient.offline:
            return [self.skipped(name, "its settings hold; its own check needs the network (--offline)")]
        answer = await ask(described.service, "check", "--json", environ=patient.environ)
        try:
            findings = [json.loads(line) for line in answer.out.splitlines() if line.strip()]
            diagnoses = [self._finding(name, one) for one in findings if not one["subject"].startswith(_OWN)]
        except (ValueError, KeyError, TypeError, AttributeError):
            findings, diagnoses = [], []
        if not findings:  # every service finds at least the server
            return [self.problem(name, answer.said, f"Run `python -m {module} check` and do what it says.")]
        return diagnoses or [self.ok(name, "its settings hold, and it checks nothing of its own")]

    def _finding(self, name: str, finding: dict[str, object]) -> Diagnosis:
        subject, detail = f"{name}: {finding['subject']}", str(finding["detail"])
        if finding["ok"]:
            return self.ok(subject, detail)
        return self.problem(subject, detail, f"Put it right as the finding says, then `{name} check`.")
