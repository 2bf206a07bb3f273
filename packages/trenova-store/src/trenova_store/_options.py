"""Where a database is and how hard this process may lean on it."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

_DATA_DIR = "{data_dir}"
_DRIVERS = {"sqlite": "aiosqlite", "postgresql": "asyncpg"}


class StoreOptions(BaseModel):
    """How to reach a database; frozen, and its ``repr`` never shows the URL.

    It may be the application's own database: our tables stand apart, in the schema ``trenova_jobs`` (SQLite: under that
    prefix), beside those of other packages.

    Attributes:
        url: ``sqlite+aiosqlite:///path/tms.db`` or ``postgresql+asyncpg://user:password@host/name``.
            ``sqlite:`` and ``postgresql:`` are completed with those drivers.
            ``{data_dir}`` stands for the folder that :meth:`within` is given.
        pool_size: Connections kept open.
        connect_timeout_s: Seconds to wait for a connection, and for a free one of the pool.
        lock_timeout_s: Seconds a statement may wait for a lock (SQLite: for the write lock).
        statement_timeout_s: Seconds one statement may run on PostgreSQL.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(repr=False)
    pool_size: int = Field(default=5, ge=1, le=500)
    connect_timeout_s: float = Field(default=10, gt=0, le=300)
    lock_timeout_s: float = Field(default=10, gt=0, le=3600)
    statement_timeout_s: float = Field(default=60, gt=0, le=86_400)

    @field_validator("url")
    @classmethod
    def _complete(cls, value: str) -> str:
        try:
            url = make_url(value)
        except ArgumentError:
            raise ValueError("is not a database URL; write e.g. postgresql+asyncpg://user:password@host/name") from None
        backend = url.get_backend_name()
        if backend == "postgres":
            raise ValueError("begins with 'postgres'; write 'postgresql'")
        if backend not in _DRIVERS:
            raise ValueError(f"is for {backend!r}; this package speaks {' and '.join(sorted(_DRIVERS))}")
        driver = url.drivername.partition("+")[2] or _DRIVERS[backend]
        if driver != _DRIVERS[backend]:
            raise ValueError(f"asks for the driver {driver!r}; for {backend} use {_DRIVERS[backend]!r}")
        try:
            (url.host or "").encode("idna")  # as whoever looks it up will, where the failure is none of a connection
        except UnicodeError:  # its text may repeat what is a part of the password in a URL that is not escaped
            raise ValueError("has no host name between '@' and '/': a part of it is empty or too long") from None
        return f"{backend}+{driver}{value.removeprefix(url.drivername)}"

    @property
    def is_sqlite(self) -> bool:
        """Whether the URL names an SQLite file."""
        return self.url.startswith("sqlite")

    @property
    def shown_url(self) -> str:
        """The URL with its password masked, for messages and tables."""
        return make_url(self.url).render_as_string(hide_password=True)

    @property
    def place(self) -> str:
        """Where it is, without user and password: ``host:port/name``, or the path of the file."""
        url = make_url(self.url)
        port = f":{url.port}" if url.port else ""
        return f"{url.host or ''}{port}/{url.database}" if url.host else str(url.database)

    def within(self, data_dir: Path) -> Self:
        """Return the same options with ``{data_dir}`` in the URL replaced by a folder."""
        url = make_url(self.url)  # rendering escapes the braces, so they are replaced in the parsed path
        path = (url.database or "").replace(_DATA_DIR, str(data_dir))
        whole = url.set(database=path or None).render_as_string(hide_password=False)
        return self.model_copy(update={"url": whole})
