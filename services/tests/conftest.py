import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "drill"))

from service_processes import (
    KEYS,
    Services,
    TemporalServer,
    clean_environ,
    end,
    temporal,  # noqa: F401 (fixture)
)
from tms_rows import seeded, sqlite_url

from trenova_activities.testing import PostgresServer
from trenova_activities.testing.fixtures import (  # noqa: F401 (fixtures)
    current_tms_template,
    current_tms_url,
    embedded_postgres_template,
    empty_postgres_url,
    postgres_server,
)


@pytest.fixture(scope="session")
def seeded_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded TMS with two organizations, as a file to copy."""
    folder = tmp_path_factory.mktemp("seeded")
    asyncio.run(seeded(sqlite_url(folder)))
    return folder / "tms.db"


@pytest.fixture(scope="session")
def seeded_postgres(postgres_server: PostgresServer, embedded_postgres_template: str) -> str:  # noqa: F811
    """The embedded TMS with two organizations, as a database to copy."""
    url = postgres_server.create_database(template=embedded_postgres_template)
    asyncio.run(seeded(url))
    return url


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Services]:
    """Services on a server of their own: the queue of notifications has one name for all."""
    server = TemporalServer()
    services = Services(
        tmp_path, clean_environ(TEMPORAL_ADDRESS=server.address, TRENOVA_DATA_DIR=str(tmp_path), **KEYS)
    )
    yield services
    services.close()
    end(server.process)
