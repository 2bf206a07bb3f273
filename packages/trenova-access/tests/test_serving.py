"""Serving for real: uvicorn on a free port of loopback, asked with httpx."""

import json
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from trenova_access import Access, AccessError, AccessOptions, Grant, Roles, SignInOptions, refuse
from trenova_access.serving import (
    ListenOptions,
    OpenAccess,
    OpenListenOptions,
    announced,
    gathered,
    listening,
    running,
    server_url,
)
from trenova_errors import ConfigurationError

ROLES = Roles({"viewer": (), "admin": ["viewer"]})
OPTIONS = AccessOptions(
    hosts=("127.0.0.1",), sign_in=SignInOptions(cookie="shop", grants=(Grant(resource="*", role="viewer"),))
)


def application(access: Access):
    async def show(request: Request) -> JSONResponse:
        who = await access.require(request, "shelves", "viewer")
        return JSONResponse({"who": who.subject, "roles": sorted(grant.role for grant in who.grants)})

    return access.protect(Starlette(routes=[Route("/", show)], exception_handlers={AccessError: refuse}))


async def test_it_answers_from_the_beginning_of_the_block_and_not_after_it(tmp_path):
    access, file = Access(OPTIONS, ROLES), tmp_path / "private" / "server.json"
    options = ListenOptions()
    with listening(options) as listener:
        url = server_url(options, listener)
        async with running(application(access), options, listener):
            with announced(file, url, access) as lines:
                left = json.loads(file.read_text())
                assert stat.S_IMODE(file.stat().st_mode) == 0o600
                assert left["url"] == url
                assert lines == [
                    f"sign in once  {left['sign_in']}",
                    f"for programs  the bearer token `key` in {file}",
                ]
                async with httpx.AsyncClient() as client:
                    assert (await client.get(url)).status_code == 401
                    bearer = {"Authorization": f"Bearer {left['key']}"}
                    assert (await client.get(url, headers=bearer)).json()["roles"] == ["viewer"]
            assert not file.exists()
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_open_access_lets_everybody_in_but_no_page_of_another_site(tmp_path):
    access, options = OpenAccess(OPTIONS, ROLES, have=["admin"]), OpenListenOptions(no_sign_in=True)
    with listening(options) as listener:
        url = server_url(options, listener)
        async with running(application(access), options, listener), httpx.AsyncClient() as client:
            assert (await client.get(url)).json() == {"who": "nobody signed in", "roles": ["admin"]}
            assert (await client.get(url, headers={"Host": "elsewhere.example"})).status_code == 403
    with announced(tmp_path / "server.json", url, access) as lines:
        assert json.loads((tmp_path / "server.json").read_text()) == {"url": url}
        assert lines == ["nobody has to sign in: whoever reaches this machine's loopback may do everything"]


def test_an_address_that_is_taken_or_none_is_said_in_words():
    with listening(ListenOptions()) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"The shop cannot listen on 127.0.0.1, port {port}: "):
            listening(ListenOptions(port=port), server="The shop")
    with pytest.raises(ConfigurationError, match="Choose another address"):
        listening(ListenOptions(host="203.0.113.7"))


def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ConfigurationError, match="The shop cannot leave its address in"),
        announced(tmp_path / "file" / "server.json", "http://127.0.0.1:1", Access(OPTIONS, ROLES), server="The shop"),
    ):
        pass


def test_an_ipv6_address_stands_in_brackets():
    options = ListenOptions(host="[::1]")
    try:
        listener = listening(options)
    except ConfigurationError:
        pytest.skip("no IPv6 on this machine")
    with listener:
        assert server_url(options, listener) == f"http://[::1]:{listener.getsockname()[1]}"


def test_a_server_that_listens_everywhere_is_told_by_an_address_that_a_browser_can_go_to():
    options = ListenOptions(host="0.0.0.0", trusted_proxies=("10.0.0.5",))  # what a container says
    with listening(options) as listener:
        assert server_url(options, listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"tls_key": "key.pem"}, "tls_certificate and tls_key belong together"),
        ({"trusted_proxies": ["proxy.example"]}, "it is neither an address nor a network"),
        ({"no_sign_in": True, "host": "0.0.0.0"}, "it needs a loopback host and no proxy in front"),
        ({"no_sign_in": True, "trusted_proxies": ["10.0.0.0/8"]}, "it needs a loopback host and no proxy in front"),
        ({"stop_s": 0}, "greater than 0"),
    ],
)
def test_options_that_do_not_hold_are_refused(told, said):
    with pytest.raises(ValidationError, match=said):
        OpenListenOptions.model_validate(told)


def test_a_connection_counts_as_encrypted_by_a_certificate_or_a_proxy():
    assert not ListenOptions().encrypted
    assert ListenOptions(trusted_proxies=("10.0.0.0/8",)).encrypted
    assert ListenOptions(tls_certificate=Path("a"), tls_key=Path("b")).encrypted


PROGRAM = """
import asyncio, sys
from pathlib import Path
from starlette.applications import Starlette
from trenova_access import Access, AccessOptions, Roles, SignInOptions
from trenova_access.serving import ListenOptions, announced, listening, run_until_told, server_url

async def main():
    options, roles = ListenOptions(stop_s=1), Roles({"viewer": ()})
    access = Access(AccessOptions(hosts=("127.0.0.1",), sign_in=SignInOptions(cookie="shop")), roles)
    with listening(options) as listener, announced(Path(sys.argv[1]), server_url(options, listener), access):
        await run_until_told(access.protect(Starlette()), options, listener)
    print("ended in order")

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(number, tmp_path):
    file = tmp_path / "server.json"
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(file)], stdout=subprocess.PIPE, text=True)
    try:
        url = _address(file, process)
        assert httpx.get(url).status_code == 404
        process.send_signal(number)
        assert process.communicate(timeout=60)[0] == "ended in order\n"
    finally:
        process.kill()
    assert process.returncode == 0
    assert not file.exists()


def _address(file: Path, process: subprocess.Popen) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            url = json.loads(file.read_text())["url"]
            httpx.get(url)
        except (OSError, httpx.ConnectError):
            time.sleep(0.05)
        else:
            return url
    raise AssertionError("it did not come up")


def test_what_comes_later_wins_and_defaults_are_for_what_nobody_told(tmp_path):
    file = tmp_path / "server.yaml"
    file.write_text("port: 1\nrates: {reads: 5, writes: 6}\n")
    environ = {"SHOP_PORT": "2", "SHOP_RATES__READS": "7", "SHOP_HOSTS": '["a"]', "SHOP_CONFIG": "x", "OTHER": "y"}

    told = gathered(
        file, environ, {"port": 3, "stop_s": None, "a.b": 1}, prefix="SHOP_", defaults={"a": {"c": 2}, "port": 9}
    )

    assert told == {"port": 3, "rates": {"reads": "7", "writes": 6}, "hosts": ["a"], "a": {"b": 1, "c": 2}}


@pytest.mark.parametrize(
    ("text", "environ", "said"),
    [
        ("a: [\n", {}, "is not YAML at line 2"),
        ("- a\n", {}, "is no mapping of options"),
        (None, {}, "cannot be read"),
        ("", {"SHOP_A": "{hunter2"}, "SHOP_A begins as JSON and is none"),
    ],
)
def test_what_cannot_be_read_is_said_without_its_value(text, environ, said, tmp_path):
    file = tmp_path / "server.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigurationError, match=said) as caught:
        gathered(file, environ, {}, prefix="SHOP_", defaults={})
    assert "hunter2" not in str(caught.value)
