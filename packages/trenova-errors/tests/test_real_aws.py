"""Errors of AWS services as botocore makes them of what a server on loopback answers."""

import json
from collections.abc import Iterator
from datetime import timedelta

import botocore.session
import pytest
from botocore.client import BaseClient
from botocore.config import Config
from http_peer import HttpPeer

from trenova_errors import HintOptions, RuleSet, classify, sending

EXACT = RuleSet(hints=HintOptions(chance=lambda: 0.0))


class AwsPeer(HttpPeer):
    """Answers every request with one error of the JSON protocol.

    Attributes:
        status: The status of the answer.
        code: The error's code; none if empty.
        headers: What else the answer says.
    """

    status, code = 400, ""
    headers: dict[str, str] = {}  # noqa: RUF012 - replaced, never changed

    def answer_to(self, path: str) -> tuple[int, dict[str, str], bytes]:
        body = json.dumps({"__type": self.code, "message": "hunter2"} if self.code else {}).encode()
        return self.status, {"Content-Type": "application/x-amz-json-1.1", **self.headers}, body


@pytest.fixture
def peer() -> Iterator[AwsPeer]:
    with AwsPeer.serving() as serving:
        yield serving


def client(url: str) -> BaseClient:
    session = botocore.session.Session()
    session.set_credentials("key", "hunter2")
    once = Config(retries={"total_max_attempts": 1}, read_timeout=0.3, connect_timeout=2, proxies={})
    return session.create_client("kms", region_name="eu-central-1", endpoint_url=url, config=once)


def failing(url: str, *, marked: bool = False):
    kms = client(url)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - what it is, is the question
        if marked:
            with sending("the data key"):
                kms.generate_data_key(KeyId="k", KeySpec="AES_256")
        else:
            kms.generate_data_key(KeyId="k", KeySpec="AES_256")
    kms.close()
    found = classify(caught.value, rules=EXACT)
    assert "hunter2" not in repr(found)
    return found


@pytest.mark.parametrize(
    ("status", "code", "kind", "source"),
    [
        (400, "ThrottlingException", "throttle", "AWS ThrottlingException"),
        (400, "AccessDeniedException", "configuration", "AWS AccessDeniedException"),
        (400, "UnrecognizedClientException", "configuration", "AWS UnrecognizedClientException"),
        (400, "NotFoundException", "resource_not_found", "AWS NotFoundException"),
        (400, "DisabledException", "configuration", "AWS DisabledException"),
        (500, "KMSInternalException", "retryable", "AWS KMSInternalException"),
        (500, "DependencyTimeoutException", "unavailable", "AWS DependencyTimeoutException"),
        (409, "NobodyKnowsThisException", "conflict", "HTTP 409"),
        (503, "", "unavailable", "HTTP 503"),
        (403, "", "configuration", "HTTP 403"),
    ],
)
def test_an_error_goes_by_its_code_and_without_one_that_is_known_by_its_status(peer, status, code, kind, source):
    peer.status, peer.code = status, code
    found = failing(peer.url)

    assert (found.kind, found.source) == (kind, source)


@pytest.mark.parametrize(("name", "value"), [("Retry-After", "7"), ("x-amz-retry-after", "7000")])
def test_a_delay_is_read_from_either_header(peer, name, value):
    peer.status, peer.code, peer.headers = 400, "ThrottlingException", {name: value}

    assert failing(peer.url).retry_after == timedelta(seconds=7)


def test_a_service_that_is_not_there_is_unavailable():
    with HttpPeer.serving() as gone:
        url = gone.url

    assert failing(url).source == "errno ECONNREFUSED"


@pytest.mark.parametrize("trouble", ["late", "reset", "close"])
def test_a_lost_answer_is_ambiguous_only_for_who_says_that_it_was_sent(trouble):
    with HttpPeer.serving() as peer:
        assert failing(f"{peer.url}/{trouble}").kind == "unavailable"
        assert failing(f"{peer.url}/{trouble}", marked=True).kind == "ambiguous"


def test_a_call_that_does_not_validate_is_the_caller_s():
    kms = client("http://127.0.0.1:9")
    with pytest.raises(Exception) as caught:  # noqa: PT011 - what it is, is the question
        kms.generate_data_key(KeyId=7)
    kms.close()

    assert classify(caught.value).kind == "invalid_input"
