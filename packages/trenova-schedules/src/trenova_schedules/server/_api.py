"""What every route works with, and who is asking."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from temporalio.client import Client

from trenova_access import Access
from trenova_access.api import ApiCaller, Rates, request_id_of
from trenova_errors import InvalidInputError, ResourceNotFoundError
from trenova_schedules._managing._audit import ORGANIZATION, Actor
from trenova_schedules._managing._service import ScheduleService
from trenova_schedules._reading import ScheduleSnapshot, read_schedule
from trenova_schedules.backfill import RunLedger, TickLedgerRuns
from trenova_schedules.server._events import ScheduleWatch
from trenova_schedules.server._options import ServerOptions
from trenova_schedules.server._roles import VIEWER, permits, permits_everywhere, permits_somewhere
from trenova_schedules.store import ScheduleStore


@dataclass(frozen=True, kw_only=True)
class Api:
    """One application.

    Attributes:
        options: As it was told.
        client: Of the namespace.
        service: What looks at schedules and changes them.
        store: Where the database is; None for none.
        access: Who may call.
        rates: How often.
        watch: What happens, for the event stream.
        signs_in: Whether callers prove who they are.
    """

    options: ServerOptions
    client: Client
    service: ScheduleService
    store: ScheduleStore | None
    access: Access
    rates: Rates
    watch: ScheduleWatch
    signs_in: bool = True

    @property
    def run_ledger(self) -> RunLedger | None:
        """What says whether a tick has run, beside the server; as the workers of backfills judge."""
        return None if self.store is None else TickLedgerRuns(self.store.ticks)

    def needed_store(self, what: str) -> ScheduleStore:
        """Return the database.

        Raises:
            InvalidInputError: This server has none.
        """
        if self.store is None:
            raise InvalidInputError(f"{what} needs a database, and this server has none; start it with --database-url.")
        return self.store


def api_of(request: Request) -> Api:
    """Return what the application of a request was made with."""
    found: Api = request.app.state.api
    return found


ApiDep = Annotated[Api, Depends(api_of)]


@dataclass(frozen=True)
class Caller(ApiCaller[Api]):
    """Who asks, in one request."""

    def actor(self, labels: Mapping[str, str] | None = None) -> Actor:
        """Return who asks, for the service; of the organization of the schedule that it is about."""
        organization = (labels or {}).get(ORGANIZATION)
        return Actor(
            name=self.name,
            verified=self.api.signs_in,
            source="rest",
            request_id=request_id_of(self.request),
            organization_id=None if organization is None else organization[:100],
        )

    def may(self, role: str, labels: Mapping[str, str]) -> bool:
        """Whether they have the role on a schedule with these labels."""
        return permits(self.principal, role, labels)

    def may_everywhere(self, role: str) -> bool:
        """Whether they have the role on every schedule."""
        return permits_everywhere(self.principal, role)

    def may_somewhere(self, role: str) -> bool:
        """Whether they have the role on any schedule."""
        return permits_somewhere(self.principal, role)

    async def schedule(self, schedule_id: str, role: str) -> ScheduleSnapshot:
        """Return a schedule on which they have a role.

        Raises:
            ResourceNotFoundError: There is none, or none that they may look at.
            NotPermittedError: They may look at it and not do this.
        """
        if not permits_somewhere(self.principal, VIEWER):
            raise self.refused(VIEWER, schedule_id)
        snapshot = await read_schedule(self.api.client, schedule_id)
        labels = snapshot.document.labels
        if not self.may(VIEWER, labels):
            self.told(VIEWER, schedule_id, "access.not_permitted", "label")
            raise ResourceNotFoundError.of("schedule", schedule_id, namespace=self.api.client.namespace)
        if not self.may(role, labels):
            raise self.refused(role, schedule_id)
        self.told(role, schedule_id)
        return snapshot

    def require(self, role: str, labels: Mapping[str, str], resource: str) -> None:
        """Let through whoever has a role on a schedule with these labels.

        Raises:
            NotPermittedError: They have not.
        """
        if not self.may(role, labels):
            raise self.refused(role, resource)
        self.told(role, resource)

    def require_somewhere(self, role: str) -> None:
        """Let through whoever has a role on any schedule."""
        if not permits_somewhere(self.principal, role):
            raise self.refused(role, "any schedule")
        self.told(role, "")


async def _reading(request: Request, api: ApiDep) -> Caller:
    return await Caller.of(request, api, "reads")


async def _writing(request: Request, api: ApiDep) -> Caller:
    return await Caller.of(request, api, "writes")


Reader = Annotated[Caller, Depends(_reading)]
Writer = Annotated[Caller, Depends(_writing)]
