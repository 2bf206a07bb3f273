import asyncio
import json
import ssl

import httpx
import pytest
from channel_peers import KEY, Names, Receiver, free_port, message
from pydantic import ValidationError

from trenova_activities.channels import (
    ForbiddenAddressError,
    RateOptions,
    WebhookChannel,
    WebhookOptions,
    sign,
    verify_signature,
)
from trenova_activities.channels._addresses import ip_address, permitted
from trenova_errors import AmbiguousOutcomeError, ApplicationError, ThrottledError

SECRET = "planted-secret-of-thirty-two-chars"
LOOPBACK = ("127.0.0.1/32",)


@pytest.fixture
async def receiver(server_tls: ssl.SSLContext):
    server = Receiver()
    await server.start(tls=server_tls)
    yield server
    await server.close()


@pytest.fixture
async def told(receiver: Receiver, ca_file):
    opened = []

    def make(names: Names | None = None, *, endpoint=(), **changes) -> WebhookChannel:
        one = {
            "url": f"https://receiver.example:{receiver.port}/hook?tenant=1",
            "secret": SECRET,
            "allowed_networks": LOOPBACK,
            **dict(endpoint),
        }
        options = WebhookOptions(**({"endpoints": {"billing": one}, "ca_file": ca_file, "timeout_s": 5} | changes))
        opened.append(WebhookChannel(options, resolver=names or Names("127.0.0.1")))
        return opened[-1]

    yield make
    for channel in opened:
        await channel.close()


async def failing(channel: WebhookChannel) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        await channel.send(message(), "billing")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


async def test_a_request_is_signed_and_says_which_delivery_it_is(receiver: Receiver, told):
    assert await told().send(message(), "billing") == "HTTP 200"

    [request] = receiver.requests
    assert request.line == "POST /hook?tenant=1 HTTP/1.1"
    assert request.headers["host"] == f"receiver.example:{receiver.port}"
    assert request.headers["idempotency-key"] == request.headers["trenova-delivery"] == KEY
    assert verify_signature(request.headers["trenova-signature"], request.body, SECRET) > 0
    body = json.loads(request.body)
    assert (body["id"], body["eventType"], body["organizationId"]) == (KEY, "job.shipment.duplicate_complete", "org_1")


async def test_both_secrets_sign_while_one_is_changed(receiver: Receiver, told):
    old = "planted-old-secret-of-32-characters"

    await told(endpoint={"previous_secret": old}).send(message(), "billing")

    [request] = receiver.requests
    for secret in (SECRET, old):
        verify_signature(request.headers["trenova-signature"], request.body, secret)


async def test_a_name_that_changes_between_look_and_connection_cannot_lead_inside(receiver: Receiver, told, server_tls):
    inside, outside = Receiver(), Receiver()
    port = free_port()
    await inside.start("127.0.0.1", server_tls, port)
    await outside.start("127.0.0.2", server_tls, port)
    names = Names("127.0.0.2", "127.0.0.1")
    url = f"https://receiver.example:{port}/"
    channel = told(names, endpoint={"url": url, "allowed_networks": ("127.0.0.2/32",)})

    await channel.send(message(), "billing")
    error = await failing(channel)

    assert isinstance(error, ForbiddenAddressError)
    assert (len(outside.requests), inside.connections, names.asked) == (1, 0, ["receiver.example"] * 2)
    await inside.close()
    await outside.close()


async def test_the_certificate_is_for_the_name_and_not_for_the_address(receiver: Receiver, told):
    error = await failing(told(endpoint={"url": f"https://other.example:{receiver.port}/"}))

    assert not isinstance(error, AmbiguousOutcomeError)
    assert receiver.requests == []


async def test_a_name_of_the_hosts_file_is_looked_at_too(receiver: Receiver, ca_file):
    # localhost is in /etc/hosts, and no resolver stands in for the system's.
    url = f"https://localhost:{receiver.port}/"
    shut = WebhookOptions(endpoints={"a": {"url": url, "secret": SECRET}}, ca_file=ca_file)
    networks = ("127.0.0.0/8", "::1/128")
    let = WebhookOptions(endpoints={"a": {"url": url, "secret": SECRET, "allowed_networks": networks}}, ca_file=ca_file)

    with pytest.raises(ForbiddenAddressError, match="which is no public address"):
        await WebhookChannel(shut).send(message(), "a")
    assert not (await WebhookChannel(shut).probe())[0].ok
    assert receiver.connections == 0
    [probe] = await WebhookChannel(let).probe()
    assert probe.ok


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0"]
)
async def test_every_spelling_of_loopback_is_refused(host: str):
    options = WebhookOptions(endpoints={"a": {"url": f"https://{host}/", "secret": SECRET}})

    with pytest.raises(ApplicationError) as caught:
        await WebhookChannel(options).send(message(), "a")
    assert caught.value.code in {"webhook.forbidden_address", "unavailable", "configuration"}


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.0.0.8"),
        *("192.0.2.1", "192.168.1.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fe80::1%2", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1", "2001::1"),
        *("::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::10.0.0.1"),
        *("2002:0a00:0001::", "2002:7f00:0001::1", "100::1"),
    ],
)
def test_no_request_goes_to_what_is_not_public(address: str):
    assert not permitted(ip_address(address), ())


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]
)
def test_what_is_public_is_permitted(address: str):
    assert permitted(ip_address(address), ())


@pytest.mark.parametrize(
    ("address", "network", "expected"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("::ffff:10.1.2.3", "10.0.0.0/8", True),
        ("11.0.0.1", "10.0.0.0/8", True),
        ("192.168.0.1", "10.0.0.0/8", False),
        ("fd00::1", "fd00::/8", True),
        ("::1", "10.0.0.0/8", False),
        ("fd00::1", "10.0.0.0/8", False),
    ],
)
def test_a_network_is_allowed_by_name_of_it(address, network, expected):
    endpoint = {"url": "https://x.example/", "secret": SECRET, "allowed_networks": (network,)}
    networks = WebhookOptions(endpoints={"a": endpoint}).endpoints["a"].allowed_networks

    assert permitted(ip_address(address), networks) is expected


async def test_a_name_with_one_forbidden_address_is_refused_altogether(receiver: Receiver, told):
    error = await failing(told(Names("127.0.0.1 10.0.0.1")))

    assert isinstance(error, ForbiddenAddressError)
    assert receiver.connections == 0


async def test_a_redirect_is_not_followed(receiver: Receiver, told):
    receiver.behaviour, receiver.extra = "302", "Location: http://169.254.169.254/latest\r\n"
    names = Names("127.0.0.1")

    error = await failing(told(names))

    assert (error.kind, error.non_retryable) == ("configuration", True)
    assert len(receiver.requests) == len(names.asked) == 1


@pytest.mark.parametrize(
    ("status", "kind", "final"),
    [
        ("400", "invalid_input", True),
        ("401", "configuration", True),
        ("404", "resource_not_found", True),
        ("410", "resource_not_found", True),
        ("429", "throttle", False),
        ("500", "retryable", False),
        ("503", "unavailable", False),
    ],
)
async def test_a_status_decides_whether_it_is_tried_again(receiver: Receiver, told, status, kind, final):
    receiver.behaviour = status

    error = await failing(told())

    assert (error.non_retryable, error.code) == (final, f"http.{status}")
    assert error.kind == kind


async def test_a_throttling_receiver_says_when(receiver: Receiver, told):
    receiver.behaviour, receiver.extra = "429", "Retry-After: 120\r\n"

    error = await failing(told())

    assert error.next_retry_delay.total_seconds() >= 120


@pytest.mark.parametrize("behaviour", ["cut", "stall", "trickle headers"])
async def test_an_answer_that_does_not_come_is_ambiguous_and_tried_again(receiver: Receiver, told, behaviour: str):
    receiver.behaviour = behaviour

    error = await failing(told(timeout_s=1))

    assert isinstance(error, AmbiguousOutcomeError)
    assert not error.non_retryable
    assert len(receiver.requests) == 1


async def test_an_endless_body_is_not_read(receiver: Receiver, told):
    receiver.behaviour = "200 endless"

    assert await asyncio.wait_for(told().send(message(), "billing"), 3) == "HTTP 200"


async def test_nobody_at_the_port_is_not_ambiguous(told):
    error = await failing(told(endpoint={"url": f"https://receiver.example:{free_port()}/"}))

    assert (error.kind, error.non_retryable) == ("unavailable", False)


async def test_the_next_address_is_tried_where_nobody_is_at_the_first(receiver: Receiver, told):
    names = Names("127.0.0.3 127.0.0.1")

    await told(names, endpoint={"allowed_networks": ("127.0.0.0/8",)}).send(message(), "billing")

    assert (len(receiver.requests), names.asked) == (1, ["receiver.example"])


async def test_a_proxy_of_the_environment_is_not_used(receiver: Receiver, told, monkeypatch):
    for name in ("HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")

    assert await told().send(message(), "billing") == "HTTP 200"


async def test_a_repetition_has_the_same_id_and_body(receiver: Receiver, told):
    channel = told()

    await channel.send(message(), "billing")
    await channel.send(message(), "billing")

    first, second = receiver.requests
    assert (first.body, first.headers["idempotency-key"]) == (second.body, second.headers["idempotency-key"])


async def test_each_endpoint_has_a_rate_of_its_own(receiver: Receiver, told):
    channel = told(rate=RateOptions(messages=1, per_s=60, wait_s=0))

    await channel.send(message(), "billing")
    with pytest.raises(ThrottledError):
        await channel.send(message(), "billing")

    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "ftp://x.example/"}, "must begin with https"),
        ({"url": "http://x.example/"}, "set plain_http"),
        ({"url": "https:///x"}, "names no host"),
        ({"url": "https://user:planted@x.example/"}, "holds a user or a password"),
        ({"url": "https://x.example/#a"}, "has a fragment"),
        ({"url": "https://x.example/a b"}, "holds spaces"),
        ({"secret": "planted"}, "at least 32"),
    ],
)
def test_an_endpoint_that_would_be_unsafe_is_refused_without_repeating_it(changes, said):
    endpoint = {"url": "https://x.example/", "secret": SECRET} | changes

    with pytest.raises(ValidationError, match=said) as caught:
        WebhookOptions(endpoints={"a": endpoint})
    assert "planted" not in str(caught.value)


def test_httpx_still_has_what_pinning_needs():
    request = httpx.Request("POST", "https://127.0.0.1/", headers={"Host": "x.example"})

    assert (request.headers["host"], request.url.host) == ("x.example", "127.0.0.1")
    assert sign(b"", [SECRET], at=1).startswith("t=1,v1=")
