"""Failures of HTTP as a real server on loopback makes them, through the clients that people use."""

import asyncio
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import httpx
import pytest
import requests
import trustme
from http_peer import HttpPeer

from trenova_errors import Classification, HintOptions, RuleSet, classify, sending
from trenova_errors._table_http import HTTP

EXACT = RuleSet(hints=HintOptions(chance=lambda: 0.0))
TIMEOUT_S = 0.4
TRUSTED = ssl.create_default_context()
Send = Callable[..., None]


def by_httpx(method: str, url: str, **headers: str) -> None:
    with httpx.Client(timeout=TIMEOUT_S, follow_redirects=True, verify=TRUSTED) as client:
        client.request(method, url, headers=headers).raise_for_status()


def by_httpx_async(method: str, url: str, **headers: str) -> None:
    async def send() -> None:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=True, verify=TRUSTED) as client:
            (await client.request(method, url, headers=headers)).raise_for_status()

    asyncio.run(send())


def by_aiohttp(method: str, url: str, **headers: str) -> None:
    async def send() -> None:
        limits = aiohttp.ClientTimeout(sock_read=TIMEOUT_S, sock_connect=TIMEOUT_S)
        async with (
            aiohttp.ClientSession(timeout=limits) as session,
            session.request(method, url, headers=headers) as response,
        ):
            response.raise_for_status()
            await response.read()

    asyncio.run(send())


def by_requests(method: str, url: str, **headers: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.request(method, url, headers=headers, timeout=TIMEOUT_S).raise_for_status()


def by_urllib(method: str, url: str, **headers: str) -> None:
    request = urllib.request.Request(url, method=method, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            response.read()
    except urllib.request.HTTPError as error:
        error.close()
        raise


TELLING = (by_httpx, by_httpx_async, by_requests)
"""Those whose exceptions carry the request."""

CLIENTS = (*TELLING, by_aiohttp, by_urllib)
EVERY = pytest.mark.parametrize("send", CLIENTS)


@pytest.fixture(scope="module")
def peer() -> Iterator[HttpPeer]:
    with HttpPeer.serving() as serving:
        yield serving


def failing(send: Send, method: str, url: str, **headers: str) -> Classification:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - what it is, is the question
        send(method, url, **headers)
    found = classify(caught.value, rules=EXACT)
    assert "hunter2" not in repr(found)
    return found


@EVERY
@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 409, 413, 418, 422, 429, 451, 500, 502, 503, 504, 507, 529, 599]
)
def test_a_status_is_what_the_table_says(peer, send, status):
    found = failing(send, "GET", f"{peer.url}/{status}")

    assert (found.kind, found.source, found.retry_after) == (HTTP[status].kind, f"HTTP {status}", None)


@EVERY
@pytest.mark.parametrize("status", [429, 503])
def test_a_delay_in_seconds_is_read(peer, send, status):
    found = failing(send, "POST", f"{peer.url}/{status}?Retry-After=7")

    assert found.retryable
    assert found.retry_after == timedelta(seconds=7)


@EVERY
def test_a_delay_until_a_date_is_read(peer, send):
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True).replace(" ", "%20")
    found = failing(send, "GET", f"{peer.url}/503?Retry-After={date}")

    assert timedelta(minutes=9) < found.retry_after <= timedelta(minutes=10)


@EVERY
def test_a_delay_for_what_is_not_retried_is_left_alone(peer, send):
    assert failing(send, "GET", f"{peer.url}/404?Retry-After=7").retry_after is None


@EVERY
@pytest.mark.parametrize("trouble", ["reset", "close", "cut", "late", "stall", "garbage"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_trouble_with_what_may_be_asked_twice_is_unavailable(peer, send, trouble, method):
    found = failing(send, method, f"{peer.url}/{trouble}")

    assert (found.kind, found.retryable) == ("unavailable", True)


@pytest.mark.parametrize("send", TELLING)
@pytest.mark.parametrize("trouble", ["reset", "close", "late", "garbage"])
def test_trouble_after_a_post_was_sent_leaves_its_outcome_unknown(peer, send, trouble):
    found = failing(send, "POST", f"{peer.url}/{trouble}")

    assert (found.kind, found.retryable) == ("ambiguous", False)
    assert "after HTTP POST was sent" in found.reason


@pytest.mark.parametrize("send", [*TELLING, by_aiohttp])
@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_that_lost_the_answer_to_a_post_leaves_its_outcome_unknown(peer, send, status):
    assert failing(send, "POST", f"{peer.url}/{status}").kind == "ambiguous"
    assert failing(send, "POST", f"{peer.url}/{status}", **{"Idempotency-Key": "k"}).kind == "unavailable"


@pytest.mark.parametrize("send", [by_aiohttp, by_urllib])
@pytest.mark.parametrize("trouble", ["reset", "close", "late"])
def test_a_client_that_does_not_tell_what_it_sent_needs_the_word_of_its_caller(peer, send, trouble):
    assert failing(send, "POST", f"{peer.url}/{trouble}").kind == "unavailable"
    with pytest.raises(Exception) as caught, sending("the order"):  # noqa: PT011 - what it is, is the question
        send("POST", f"{peer.url}/{trouble}")

    found = classify(caught.value)
    assert found.kind == "ambiguous"
    assert "after the order was sent" in found.reason


@EVERY
@pytest.mark.parametrize("trouble", ["reset", "late"])
def test_a_post_with_an_idempotency_key_may_be_sent_again(peer, send, trouble):
    found = failing(send, "POST", f"{peer.url}/{trouble}", **{"Idempotency-Key": "k"})

    assert (found.kind, found.retryable) == ("unavailable", True)


@EVERY
def test_an_answer_that_says_that_nothing_was_done_stays_so(peer, send):
    with pytest.raises(Exception) as caught, sending("the order"):  # noqa: PT011 - what it is, is the question
        send("POST", f"{peer.url}/503")

    assert classify(caught.value).kind == "unavailable"


@EVERY
def test_redirects_that_lead_nowhere_are_a_matter_of_configuration(peer, send):
    assert failing(send, "GET", f"{peer.url}/loop").kind == "configuration"


def test_a_redirect_that_a_client_does_not_follow_is_a_matter_of_configuration(peer):
    with httpx.Client(trust_env=False) as client, pytest.raises(httpx.HTTPStatusError) as caught:
        client.get(f"{peer.url}/loop").raise_for_status()

    assert (classify(caught.value).kind, classify(caught.value).source) == ("configuration", "HTTP 302")


@EVERY
def test_a_refused_connection_is_unavailable_and_nothing_was_sent(send):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(Exception) as caught, sending("the order"):  # noqa: PT011 - what it is, is the question
            send("POST", f"http://127.0.0.1:{free.getsockname()[1]}/")

    found = classify(caught.value)
    assert (found.kind, found.source) == ("unavailable", "errno ECONNREFUSED")


@EVERY
def test_a_name_that_does_not_resolve_is_a_matter_of_configuration(send):
    # An address of an interface that is not there is refused by the resolver itself; nobody else is asked.
    found = failing(send, "GET", "http://[fe80::1%25nowhere]/")

    assert (found.kind, found.source) == ("configuration", "getaddrinfo EAI_NONAME")


@EVERY
def test_a_certificate_that_nobody_trusts_is_a_matter_of_configuration(send):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with HttpPeer.serving(context) as peer:
        found = failing(send, "GET", peer.url.replace("http:", "https:"))

    assert found.kind == "configuration"


@EVERY
def test_a_handshake_that_fails_for_another_reason_is_unavailable(peer, send):
    found = failing(send, "GET", peer.url.replace("http:", "https:"))

    assert (found.kind, found.unclassified) == ("unavailable", False)


@pytest.mark.parametrize("send", [*TELLING, by_aiohttp])
def test_a_url_that_is_none_is_the_caller_s(send):
    assert failing(send, "GET", "foo://127.0.0.1/").kind == "invalid_input"
