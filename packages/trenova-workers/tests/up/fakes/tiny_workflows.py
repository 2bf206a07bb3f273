"""A workflow that an ``up`` may be killed in the middle of."""

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from datetime import timedelta


@activity.defn
async def greet(name: str) -> str:
    return f"hello {name}"


@workflow.defn
class Patient:
    def __init__(self) -> None:
        self.going = False

    @workflow.signal
    def go(self) -> None:
        self.going = True

    @workflow.run
    async def run(self, name: str) -> str:
        await workflow.wait_condition(lambda: self.going)
        return await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=10))
