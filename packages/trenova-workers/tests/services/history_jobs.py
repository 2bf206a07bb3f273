"""Workflows whose histories grow by as much as a test wants."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError


@workflow.defn(name="Noted")
class Noted:
    """Grows by a signal at a time, with no command of its own."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    @workflow.run
    async def run(self, ending: str) -> int:
        await workflow.wait_condition(lambda: "end" in self.notes)
        if ending == "again":
            workflow.continue_as_new("completed")
        if ending == "failed":
            raise ApplicationError("as asked")
        return len(self.notes)

    @workflow.signal
    async def note(self, text: str) -> None:
        self.notes.append(text)

    @workflow.query
    def count(self) -> int:
        return len(self.notes)


@workflow.defn(name="Resting")
class Resting:
    @workflow.run
    async def run(self) -> None:
        for _ in range(3):
            await workflow.sleep(timedelta(milliseconds=1))
