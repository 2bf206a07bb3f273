"""Release 1.0 of a tiny module."""

from typing import ClassVar

from temporalio import workflow
from temporalio.common import VersioningBehavior

RELEASE = "1.0"


@workflow.defn(name="Ship", sandboxed=False)
class Ship:
    """Ends where it began."""

    versioning_behavior: ClassVar = VersioningBehavior.PINNED

    def __init__(self) -> None:
        self._told = False

    @workflow.signal
    def go(self) -> None:
        self._told = True

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self._told)
        return RELEASE


@workflow.defn(name="Track", sandboxed=False)
class Track:
    """Goes on with whichever release there is."""

    versioning_behavior: ClassVar = VersioningBehavior.AUTO_UPGRADE

    def __init__(self) -> None:
        self._told = False

    @workflow.signal
    def go(self) -> None:
        self._told = True

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self._told)
        return RELEASE


@workflow.defn(name="Quick", sandboxed=False)
class Quick:
    """Does not wait."""

    versioning_behavior: ClassVar = VersioningBehavior.PINNED

    @workflow.run
    async def run(self) -> str:
        return RELEASE
