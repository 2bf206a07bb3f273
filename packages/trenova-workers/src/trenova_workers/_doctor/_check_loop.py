"""How late the event loops of the workers are that run on this machine."""

from trenova_workers._doctor._check import Check, Need
from trenova_workers._doctor._diagnosis import Diagnosis
from trenova_workers._doctor._local import LocalWorker, server_of
from trenova_workers._doctor._patient import Patient

# A workflow task that takes longer than 10 s is given to another worker; heartbeats and cancellations wait as well.
_LATE_S = 0.2
_TOO_LATE_S = 1.0


class LoopCheck(Check):
    """What a worker measures of itself, the worst of its last minute."""

    id = "event-loop"
    about = "the event loops of running local workers are not held up: 0.2 s is a warning, 1 s a problem"
    needs = frozenset({Need.SERVICES, Need.LOCAL})

    async def examine(self, patient: Patient) -> list[Diagnosis]:
        """Read the health answers of the workers of this server that were found and serve what is looked at."""
        queues = {queue for service in patient.described for queue in service.queues}
        ours = {None, server_of(patient.environ)}
        of_ours = [worker for worker in patient.local if worker.server in ours or ours == {None}]
        found = [worker for worker in of_ours if queues & set(worker.health.get("queues", ()))]
        if not found:
            return [self.skipped("", "no worker of these queues runs on this machine under this user and answers")]
        return [self._worker(worker) for worker in found]

    def _worker(self, worker: LocalWorker) -> Diagnosis:
        subject = f"{worker.service}, pid {worker.pid}"
        lag = worker.health.get("event_loop_lag_s")
        if not isinstance(lag, int | float):
            return self.skipped(subject, "its health answer does not tell")
        found = f"at worst {lag:.3f} s late in the last minute"
        if lag < _LATE_S:
            return self.ok(subject, found)
        advice = (
            "Its log has a warning with the stack of what blocks it (health.event_loop_warning_s); see also `blocking`."
        )
        return (self.problem if lag >= _TOO_LATE_S else self.warning)(subject, found, advice)
