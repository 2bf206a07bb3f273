"""How gently the nightly jobs lean on the database, and what makes them lean less."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

_GIB = 2**30


class BrakeOptions(BaseModel):
    """What slows a nightly run down; PostgreSQL only, as SQLite tells nothing about itself.

    A threshold of None is never reached. A brake slows a run down and never ends it.

    Attributes:
        enabled: Whether the database is asked at all.
        look_every_s: Seconds between two looks.
        slow_share: The share of its time that a slowed run works; the rest it pauses.
        stopped_batch_every_s: Seconds between two of the smallest batches of a run that is stopped for now.
        old_snapshot_s: A transaction, prepared transaction or replication slot keeps vacuum from clearing what was
            deleted for so long: slow.
        dead_share: So much of the table's rows is dead, and at least ``dead_rows`` are: slow.
        dead_rows: Dead rows below which no share matters.
        vacuum: Whether a vacuum that works on the table slows the run.
        lock_waits: So many sessions of the database wait for a lock: slow.
        replication_lag_s: A standby is so far behind: slow.
        replication_lag_stop_s: A standby is so far behind: stop for now.
        slot_retained_bytes: A replication slot keeps so much WAL: slow.
        people_per_s: So many transactions a second end in the database, the run's own among them (at most 40): others
            are at work.
        people_share: The share of its time that a run works then. A batch takes a processor for its length, and what
            others ask for meanwhile waits a few milliseconds longer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    look_every_s: float = Field(default=1, ge=0.1, le=60)
    slow_share: float = Field(default=0.9, ge=0.05, le=1)
    stopped_batch_every_s: float = Field(default=10, ge=0.1, le=60)
    old_snapshot_s: float | None = Field(default=60, gt=0)
    dead_share: float | None = Field(default=0.8, gt=0, le=1)
    dead_rows: int = Field(default=1_000_000, ge=0)
    vacuum: bool = True
    lock_waits: int | None = Field(default=5, ge=1)
    replication_lag_s: float | None = Field(default=10, gt=0)
    replication_lag_stop_s: float | None = Field(default=60, gt=0)
    slot_retained_bytes: int | None = Field(default=5 * _GIB, ge=1)
    people_per_s: float | None = Field(default=200, gt=0)
    people_share: float = Field(default=0.5, ge=0.05, le=1)

    @model_validator(mode="after")
    def _slow_before_stop(self) -> "BrakeOptions":
        slow, stop = self.replication_lag_s, self.replication_lag_stop_s
        if slow is not None and stop is not None and slow > stop:
            raise ValueError(f"replication_lag_s ({slow:g}) is more than replication_lag_stop_s ({stop:g})")
        return self


class PaceOptions(BaseModel):
    """How the batches of the nightly jobs are steered.

    Attributes:
        target_s: Seconds that a batch should take at most, and at least half of; one of more than twice as many is
            halved.
        work_share: The share of its time that a run works where nothing slows it down; the rest it pauses, after each
            batch in proportion to how long that lasted. 1 for no pauses.
        first_batch: Rows of the first batch of a run; later ones are steered from there.
        lock_timeout_s: Seconds a batch waits for a lock before it gives way (PostgreSQL).
        statement_timeout_s: Seconds one statement of a batch may run (PostgreSQL); doubled, up to the connection's own
            time-out, where even the smallest batch does not get through.
        lock_patience_s: Seconds after which a tenant fails whose rows are locked all the time.
        brake: What slows a run down.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target_s: float = Field(default=0.05, gt=0, le=10)
    work_share: float = Field(default=1, ge=0.05, le=1)
    first_batch: int = Field(default=1_000, ge=1, le=10_000)
    lock_timeout_s: float = Field(default=0.5, ge=0.01, le=60)
    statement_timeout_s: float = Field(default=5, ge=0.05, le=3600)
    lock_patience_s: float = Field(default=900, ge=0, le=86_400)
    brake: BrakeOptions = BrakeOptions()
