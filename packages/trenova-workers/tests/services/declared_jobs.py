"""Workflows that say how their runs move between versions, in either way or not at all."""

from typing import ClassVar

from temporalio import workflow
from temporalio.common import VersioningBehavior


@workflow.defn(name="Short")
class Short:
    versioning_behavior: ClassVar = VersioningBehavior.PINNED

    @workflow.run
    async def run(self) -> str:
        return "short"


@workflow.defn(name="Decorated", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Decorated:
    @workflow.run
    async def run(self) -> str:
        return "decorated"


@workflow.defn(name="Silent")
class Silent:
    @workflow.run
    async def run(self) -> str:
        return "silent"
