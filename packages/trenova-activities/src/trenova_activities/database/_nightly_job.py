"""What the engine of the nightly jobs asks of a job; cancellation and retention are the two that answer.

The engine owns pages of tenants, transactions, cursors, retries and the manifest. A job only says which rows
its rule means and changes one batch of them inside the transaction that it is handed.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Row, Select, Table
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._tenant import Tenant

DAY_S: Final = 86_400

MOST_SECONDS: Final = 10**11
"""Later times are not unix seconds but milliseconds: in seconds it would be the year 5138."""

MOST_SAMPLES: Final = 100
"""How many names of changed rows a run keeps per tenant."""


@dataclass(frozen=True)
class Skip:
    """The tenant is left alone.

    Attributes:
        reason: One sentence for an operator, naming the setting and what was found in it.
        setting: The setting as found, as text.
    """

    reason: str
    setting: str | None = None


@dataclass(frozen=True)
class Cutoff:
    """How old a row must be; fixed for the run once it is recorded.

    Attributes:
        at: Unix seconds. Whether a row of exactly this time is meant is the job's rule.
        setting: The setting that it was computed from, as text.
    """

    at: int
    setting: str


@dataclass(frozen=True, order=True)
class Position:
    """A row's place in the order of age: its time in unix seconds, then its id."""

    at: int
    id: str


@dataclass(frozen=True)
class RunFacts:
    """The run on whose behalf a batch is changed.

    Attributes:
        job_type: E.g. ``cancel_shipments``.
        run_id: The run id of the workflow's first execution, the same for a whole chain.
        workflow_id: For audit entries and messages.
        as_of: The database's clock when the run began, unix seconds.
    """

    job_type: str
    run_id: str
    workflow_id: str
    as_of: int


@dataclass(frozen=True)
class Batch:
    """What one batch changed, as the manifest keeps it.

    Attributes:
        rows: How many rows were changed; a batch may change none and still move the cursor.
        first: The oldest changed row; None if there is none.
        last: The youngest changed row.
        digest: SHA-256 over the sorted ids (see :func:`ids_digest`).
        cursor: The last row that was looked at; the next batch begins after it. None keeps the cursor.
        exhausted: There is nothing after the cursor.
        samples: Names of changed rows that a person knows them by, at most ``MOST_SAMPLES``.
        seen: How many rows were looked at, changed or not.
    """

    rows: int
    first: Position | None
    last: Position | None
    digest: str
    cursor: Position | None
    exhausted: bool
    samples: Sequence[str] = ()
    seen: int = 0


class NightlyJob(Protocol):
    """One destructive rule that is applied tenant by tenant.

    Every method gets the connection of a transaction that the engine opened; none commits.
    """

    @property
    def job_type(self) -> str:
        """The job's name in our tables, the log and notifications."""

    @property
    def settings_table(self) -> Table:
        """The table whose rows say which tenants there are and what they want."""

    @property
    def changed_table(self) -> Table:
        """The table whose rows are changed; the database's health is asked about it."""

    @property
    def unwanted(self) -> str:
        """The reason given when a tenant that was asked for by id does not want the job."""

    async def begin(self, connection: AsyncConnection) -> None:
        """Look, at the start of every call, dry run or not, whether the database lets the job do its work at all.

        Raises:
            ConfigurationError: It does not; nothing is touched and the run fails.
        """

    def wanted(self) -> ColumnElement[bool]:
        """Return the condition that a row of the settings wants the job; ``sqlalchemy.true()`` if each does."""

    def rule(self, row: Row[Any], as_of: int) -> Skip | Cutoff:
        """Judge a tenant's settings row (all columns by name); never fall back to a default.

        Args:
            row: The only row of the tenant, read a moment ago.
            as_of: The run's time, unix seconds. A cut-off is never later than ``as_of - DAY_S``.
        """

    def meant(self, tenant: Tenant, cutoff: int) -> tuple[ColumnElement[int], Sequence[ColumnElement[bool]]]:
        """Return the time of a row, in unix seconds, and the conditions that :meth:`batch` would change it.

        Whoever counts does so with them; no row that they let through has a time that makes no sense.
        """

    async def eligible(self, connection: AsyncConnection, tenant: Tenant, cutoff: int) -> int:
        """Count the rows that :meth:`batch` would change from now on; only for dry runs."""

    def due(self, tenant: Tenant, cutoff: int) -> Select[tuple[int]]:
        """Return the query for the times (one column, unix seconds) of the rows that :meth:`batch` would change.

        They come oldest first, by the index that a batch goes along, so that a limit makes it cheap.
        """

    async def samples(self, connection: AsyncConnection, tenant: Tenant, cutoff: int) -> list[str]:
        """Name the first ``MOST_SAMPLES`` rows that :meth:`batch` would change; only for dry runs."""

    async def odd(self, connection: AsyncConnection, tenant: Tenant) -> int:
        """Count the rows whose time is NULL, negative or in milliseconds; they are never changed."""

    async def held(self, connection: AsyncConnection, tenant: Tenant, cutoff: int) -> int:
        """Count the rows that are old enough and that something else than the rule keeps; 0 where nothing can."""

    async def batch(
        self,
        connection: AsyncConnection,
        tenant: Tenant,
        cutoff: int,
        *,
        after: Position | None,
        limit: int,
        run: RunFacts,
        at: int,
    ) -> Batch:
        """Change at most ``limit`` rows after a position, oldest first.

        Candidates are locked in the order of their ids, and the rule is checked again by the statement that
        changes them, because another run or a person may have been faster.

        Args:
            connection: Inside a write transaction; nothing else of the batch is written yet.
            tenant: Whose rows.
            cutoff: As recorded for the tenant.
            after: Where the last batch ended; None at the beginning.
            limit: Rows, at least 1.
            run: For audit entries.
            at: The database's clock in this transaction, unix seconds.

        Raises:
            RetryableError: A lock or a deadlock: the engine tries the batch again.
            ApplicationError: Anything permanent: the tenant has failed, the run goes on with the next.
            UnavailableError: The database is gone: the run goes on when it is back.
        """


def ids_digest(ids: Iterable[str]) -> str:
    """Fingerprint a set of ids: SHA-256, hexadecimal, over the sorted ids each followed by a line feed."""
    return hashlib.sha256("".join(f"{identifier}\n" for identifier in sorted(ids)).encode()).hexdigest()
