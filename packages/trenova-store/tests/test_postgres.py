import os
import stat
from pathlib import Path

import pytest

from trenova_store.testing import PostgresServer
from trenova_store.testing._postgres import _candidates, _executable


def test_nothing_is_left_behind():
    with PostgresServer() as server:
        pid, folder = server.pid, server._folder
        assert server.execute("SELECT 1") == "1"
        assert stat.S_IMODE((folder / "data").stat().st_mode) == 0o700

    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_data_survives_a_halt(postgres_server):
    with PostgresServer() as server:
        url = server.create_database(name="kept")
        server.execute("CREATE TABLE t (n int); INSERT INTO t VALUES (7)", database=url)
        server.halt()
        assert server.pid is None
        server.start()

        assert server.execute("SELECT n FROM t", database="kept") == "7"


def test_it_listens_on_loopback_only(postgres_server):
    assert postgres_server.execute("SHOW listen_addresses") == "127.0.0.1"
    assert postgres_server.execute("SHOW unix_socket_directories") == ""


def test_a_database_is_a_copy_of_its_template(postgres_server):
    template = postgres_server.create_database()
    postgres_server.execute("CREATE TABLE t (n int)", database=template)
    copy = postgres_server.create_database(template=template)
    postgres_server.execute("INSERT INTO t VALUES (1)", database=copy)

    assert copy != template
    assert postgres_server.execute("SELECT count(*) FROM t", database=template) == "0"


def test_a_dropped_database_is_gone(postgres_server):
    url = postgres_server.create_database(name="short_lived")
    postgres_server.drop_database(url)

    assert postgres_server.execute("SELECT 1 FROM pg_database WHERE datname = 'short_lived'") == ""


def test_a_refusal_of_the_server_is_its_own_words(postgres_server):
    with pytest.raises(RuntimeError, match='relation "nowhere" does not exist'):
        postgres_server.execute("SELECT * FROM nowhere")


def test_only_plain_names_become_sql(postgres_server):
    with pytest.raises(ValueError, match="no plain database name"):
        postgres_server.create_database(name='x"; DROP DATABASE postgres')


def test_settings_reach_the_server():
    with PostgresServer(settings=["max_connections=23"]) as server:
        assert server.execute("SHOW max_connections") == "23"


def test_a_server_that_cannot_start_shows_its_log():
    with pytest.raises(RuntimeError, match=r"did not start: .*no_such_setting"):
        PostgresServer(settings=["no_such_setting=1"]).start()


def test_binaries_that_the_account_cannot_execute_are_passed_over(tmp_path):
    assert not _executable(tmp_path, None)
    assert not _executable(Path("/nowhere"), None)
    assert any(_executable(folder, None) for folder in _candidates())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up its rights")
def test_root_does_not_run_it_as_root(postgres_server):
    assert Path(f"/proc/{postgres_server.pid}").stat().st_uid != 0
