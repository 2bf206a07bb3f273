"""What a run with kills comes to."""

import itertools
from collections import Counter
from dataclasses import dataclass

from real.accounts import Told
from real.chaos import ChaosRun
from real.records import Row
from real.verdicts import Verdict


@dataclass(frozen=True)
class Reckoning:
    """The judgement of a run."""

    run: ChaosRun

    @property
    def attempts(self) -> Counter[str]:
        """What became of each attempt, by a few words."""
        return Counter(how for one in self.run.histories for how in self._fates(one.workflow, one.attempt))

    def _fates(self, workflow: str, last: int) -> list[str]:
        told = self.run.ledger.get(workflow, Told())
        pids = dict(told.started)
        found = []
        for number in range(1, last + 1):
            pid = pids.get(number)
            if pid is None:
                found.append("never began on a worker")
            elif (how := told.ended.get((number, pid))) is None:
                found.append("its worker was killed" if pid in self.run.blows.killed else "vanished")
            elif how != "result":
                found.append("was told to stop and tried again")
            else:
                found.append("done" if number == last else "done, but nobody heard")
        twice = len(told.started) - len({number for number, _ in told.started})
        return [*found, *["ran twice under one number"] * twice]

    @property
    def delivered_twice(self) -> list[str]:
        """Workflows whose effect happened more than once."""
        return [name for name, told in self.run.ledger.items() if told.made > 1]

    @property
    def not_completed(self) -> list[str]:
        """Workflows that did not end well."""
        return [one.workflow for one in self.run.histories if not one.completed]

    @property
    def out_of_turn(self) -> list[str]:
        """What was written by a manager whose lease had gone to another."""
        return [*_backwards("decision", self.run.decisions), *_backwards("audit", self.run.audit), *self._two_holders()]

    def _two_holders(self) -> list[str]:
        takes: dict[int, set[str]] = {}
        for row in self.run.audit:
            if row.fence is not None:
                takes.setdefault(row.fence, set()).add(row.told["actor"])
        taken = {row.fence: row.at for row in self.run.audit if row.told["action"] == "take" and row.fence is not None}
        late = [
            f"worker {one.pid} started under {one.fence} after {later} had begun"
            for one in self.run.workers
            if (later := min((fence for fence in taken if fence > one.fence), default=None)) is not None
            and one.started > taken[later]
        ]
        return [*(f"lease {fence} of {sorted(who)}" for fence, who in takes.items() if len(who) > 1), *late]

    @property
    def gaps(self) -> list[str]:
        """Numbers that are missing."""
        tables = {"decision": self.run.decisions, "audit": self.run.audit}
        return [
            f"{name} {row.number}"
            for name, rows in tables.items()
            for at, row in enumerate(rows, 1)
            if row.number != at
        ]

    @property
    def broken_chain(self) -> list[str]:
        """Decisions that did not begin with the number that the one before had left."""
        pairs = itertools.pairwise(self.run.decisions)
        return [f"decision {b.number}" for a, b in pairs if a.told["desired"] != b.told["before"]]

    @property
    def longest_pause_s(self) -> float:
        """Seconds between two decisions, at most."""
        return max((b.at - a.at for a, b in itertools.pairwise(self.run.decisions)), default=0.0)

    def table(self) -> dict[str, object]:
        """Return the figures by what they are."""
        run = self.run
        blows = ", ".join(f"{len(times)} x {what}" for what, times in sorted(run.blows.at.items()))
        fences = {row.fence for row in run.audit if row.fence is not None}
        return {
            "seed": run.options.seed,
            "killed or held up": blows,
            "workflows": len(run.names),
            "attempts": ", ".join(f"{count} {how}" for how, count in self.attempts.most_common()),
            "workers started": f"{len(run.workers)}; "
            + ", ".join(f"{n} {how}" for how, n in Counter(one.how for one in run.workers).items()),
            "leases": f"{len(fences)}",
            "decisions, audit": f"{len(run.decisions)}, {len(run.audit)}; pauses up to {self.longest_pause_s:.1f} s",
            "at its number again after": _s(run.settled_s),
            "all workflows closed after the last kill": _s(run.completed - run.calmed),
            "at its least again after that": _s(run.back_s),
            "most workers wanted": max((row.told["desired"] for row in run.decisions), default=0),
        }

    def verdicts(self) -> list[Verdict]:
        """Judge it."""
        run, attempts = self.run, self.attempts
        lost = attempts["vanished"] + attempts["ran twice under one number"]
        names = set(run.names)
        return [
            _none("workflows that did not complete", self.not_completed),
            Verdict("deliveries", len(run.delivered), f"{len(names)}, one each", run.delivered == names),
            _none("deliveries made twice", self.delivered_twice),
            Verdict("attempts that nobody can account for", lost, "0", not lost),
            Verdict("at its number under load", _s(run.settled_s), "within the time", run.settled_s is not None),
            Verdict("at its least without", _s(run.back_s), "within the time", run.back_s is not None),
            _none("workers without a record, or the reverse", sorted(run.orphans)),
            _none("processes that wait to become workers", run.unborn),
            _none("acts of a manager without the lease", self.out_of_turn),
            _none("decisions and audit changed afterwards", run.changed),
            _none("numbers missing in them", self.gaps),
            _none("decisions that do not follow the one before", self.broken_chain),
            _none("processes left after the drain", sorted(run.left_over)),
        ]


def _backwards(what: str, rows: list[Row]) -> list[str]:
    fenced = [row for row in rows if row.fence is not None]
    pairs = itertools.pairwise(fenced)
    return [f"{what} {b.number} under {b.fence} after {a.fence}" for a, b in pairs if (a.fence or 0) > (b.fence or 0)]


def _none(what: str, found: list[object]) -> Verdict:
    shown = f"{len(found)}" + (f": {found[0]!s}" if found else "")
    return Verdict(what, shown, "0", not found)


def _s(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"
