"""Releases of a tiny module: 1.0, 2.0, and two that are broken. Runs wait for a signal and say which release ended them."""

from typing import ClassVar

from temporalio import workflow
from temporalio.common import VersioningBehavior
from temporalio.exceptions import ApplicationError

from trenova_workers import Work

PINNED, AUTO_UPGRADE = VersioningBehavior.PINNED, VersioningBehavior.AUTO_UPGRADE


class Waiting:
    def __init__(self) -> None:
        self.told = False

    async def end(self, release: str) -> str:
        await workflow.wait_condition(lambda: self.told)
        return release


def release(number: str) -> Work:
    @workflow.defn(name="Ship", sandboxed=False)
    class Ship(Waiting):
        versioning_behavior: ClassVar = PINNED

        @workflow.signal
        def go(self) -> None:
            self.told = True

        @workflow.run
        async def run(self) -> str:
            return await self.end(number)

    @workflow.defn(name="Track", sandboxed=False)
    class Track(Waiting):
        versioning_behavior: ClassVar = AUTO_UPGRADE

        @workflow.signal
        def go(self) -> None:
            self.told = True

        @workflow.run
        async def run(self) -> str:
            return await self.end(number)

    @workflow.defn(name="Quick", sandboxed=False)
    class Quick:
        versioning_behavior: ClassVar = PINNED

        @workflow.run
        async def run(self) -> str:
            return number

    return Work([Ship, Track, Quick])


def raising(error: Exception) -> Work:
    """A release whose quick runs end with an error, or hang in their first task."""

    @workflow.defn(name="Quick", sandboxed=False)
    class Quick:
        versioning_behavior: ClassVar = PINNED

        @workflow.run
        async def run(self) -> str:
            raise error

    good = [one for one in release("2.0").workflows if one.__name__ != "Quick"]
    return Work([*good, Quick])


OLD, NEW = release("1.0"), release("2.0")
FAILING = raising(ApplicationError("no rate for this lane"))
HANGING = raising(ValueError("the code is wrong"))
