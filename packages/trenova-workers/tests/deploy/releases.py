"""Releases of a tiny module: 1.0, 2.0, and three of 2.0 that are broken. A run says which release ended it."""

from typing import ClassVar

import release_1
import release_2
from temporalio import workflow
from temporalio.common import VersioningBehavior
from temporalio.exceptions import ApplicationError

from trenova_workers import Work


@workflow.defn(name="Quick", sandboxed=False)
class Failing:
    """Every run fails."""

    versioning_behavior: ClassVar = VersioningBehavior.PINNED

    @workflow.run
    async def run(self) -> str:
        raise ApplicationError("There is no rate for this lane.")


@workflow.defn(name="Quick", sandboxed=False)
class Hanging:
    """The first task of every run fails, again and again."""

    versioning_behavior: ClassVar = VersioningBehavior.PINNED

    @workflow.run
    async def run(self) -> str:
        raise ValueError("the code is wrong")


@workflow.defn(name="Track", sandboxed=False)
class Stuck:
    """A run that has moved here cannot go on."""

    versioning_behavior: ClassVar = VersioningBehavior.AUTO_UPGRADE

    @workflow.signal
    def go(self) -> None:
        raise ValueError("the code is wrong")

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: False)
        return release_2.RELEASE


OLD = Work([release_1.Ship, release_1.Track, release_1.Quick])
NEW = Work([release_2.Ship, release_2.Track, release_2.Quick])
FAILING = Work([release_2.Ship, release_2.Track, Failing])
HANGING = Work([release_2.Ship, release_2.Track, Hanging])
STUCK = Work([release_2.Ship, Stuck, release_2.Quick])
