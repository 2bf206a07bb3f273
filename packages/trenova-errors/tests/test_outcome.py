"""Whether a failure leaves it unknown what happened, as the libraries' own exceptions tell it."""

import errno
import smtplib
import socket

import aiohttp
import httpx
import psycopg.errors
import pytest
import requests
import sqlalchemy.exc
import urllib3.exceptions
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from trenova_errors import ErrorKind, classify, sending
from trenova_errors._outcome import IDEMPOTENT_METHODS, sent

UNSAFE = ["POST", "PATCH", "post", "CONNECT"]


def asked(method: str, **headers: str) -> httpx.Request:
    return httpx.Request(
        method, "http://127.0.0.1/", headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def gateway(status: int, method: str = "POST") -> httpx.HTTPStatusError:
    request = asked(method)
    return httpx.HTTPStatusError("", request=request, response=httpx.Response(status, request=request))


def prepared(method: str) -> requests.PreparedRequest:
    return requests.Request(method, "http://127.0.0.1/").prepare()


def by_aiohttp(status: int, method: str = "POST") -> aiohttp.ClientResponseError:
    url = URL("http://127.0.0.1/")
    info = aiohttp.RequestInfo(url, method, CIMultiDictProxy(CIMultiDict()), url)
    return aiohttp.ClientResponseError(info, (), status=status)


@pytest.mark.parametrize("cls", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError])
@pytest.mark.parametrize("method", UNSAFE)
def test_a_lost_answer_to_an_unsafe_request_is_evidence(cls, method):
    error = cls("", request=asked(method))

    assert sent(error) == f"HTTP {method.upper()}"
    found = classify(error)
    assert (found.kind, found.retryable) == (ErrorKind.AMBIGUOUS, False)
    assert f"after HTTP {method.upper()} was sent" in found.reason
    assert classify(error, idempotent=True).retryable is True


@pytest.mark.parametrize("method", sorted([*IDEMPOTENT_METHODS, "get", "Delete"]))
def test_a_lost_answer_to_a_request_that_may_be_repeated_is_none(method):
    assert sent(httpx.ReadTimeout("", request=asked(method))) is None


def test_a_method_of_ones_own_is_not_repeated_in_the_reason():
    assert sent(httpx.ReadTimeout("", request=asked("SECRET"))) == "an HTTP request"
    assert sent(httpx.ReadTimeout("", request=asked(""))) is None
    assert sent(httpx.ReadTimeout("")) is None


def test_a_request_with_an_idempotency_key_may_be_repeated():
    assert sent(httpx.ReadTimeout("", request=asked("POST", Idempotency_Key="a"))) is None
    assert sent(httpx.ReadTimeout("", request=asked("POST", Other="a"))) == "HTTP POST"


@pytest.mark.parametrize("cls", [httpx.ConnectTimeout, httpx.ConnectError, httpx.PoolTimeout, httpx.WriteTimeout])
def test_what_happens_before_the_request_is_out_is_no_evidence(cls):
    assert sent(cls("", request=asked("POST"))) is None


@pytest.mark.parametrize("status", [502, 504, 520, 524, 598])
def test_a_gateway_that_lost_the_answer_is_evidence(status):
    assert sent(gateway(status)) == "HTTP POST"
    assert sent(gateway(status, "GET")) is None
    assert sent(by_aiohttp(status)) == "HTTP POST"
    response = requests.Response()
    response.status_code = status
    assert sent(requests.HTTPError(request=prepared("POST"), response=response)) == "HTTP POST"


@pytest.mark.parametrize("status", [400, 404, 425, 429, 501, 503, 521, 522, 523, 530, 599])
def test_an_answer_of_the_server_itself_is_no_evidence(status):
    assert sent(gateway(status)) is None
    assert sent(by_aiohttp(status)) is None


@pytest.mark.parametrize("status", [500, 512])
def test_a_server_that_failed_half_way_may_have_done_it(status):
    assert classify(gateway(status)).kind is ErrorKind.AMBIGUOUS
    assert classify(by_aiohttp(status, "PATCH")).kind is ErrorKind.AMBIGUOUS
    assert classify(gateway(status, "PUT")).kind is ErrorKind.RETRYABLE
    keyed = httpx.Request("POST", "http://127.0.0.1/", headers={"Idempotency-Key": "k"})
    repeated = httpx.HTTPStatusError("", request=keyed, response=httpx.Response(status, request=keyed))
    assert classify(repeated).kind is ErrorKind.RETRYABLE
    assert classify(within(gateway(status, "GET"))).kind is ErrorKind.AMBIGUOUS


def test_a_status_of_a_library_that_is_not_known_to_send_requests_is_no_evidence():
    error = RuntimeError()
    error.status, error.request = 502, asked("POST")

    assert sent(error) is None


def test_requests_tells_a_broken_connection_by_its_cause():
    used = requests.ConnectionError(request=prepared("POST"))
    used.__context__ = urllib3.exceptions.ProtocolError("")
    refused = requests.ConnectionError(request=prepared("POST"))
    refused.__context__ = urllib3.exceptions.NewConnectionError(None, "")

    assert sent(used) == "HTTP POST"
    assert sent(refused) is None
    assert sent(requests.ConnectionError(request=prepared("POST"))) is None
    assert sent(requests.ReadTimeout(request=prepared("POST"))) == "HTTP POST"
    assert sent(requests.exceptions.ChunkedEncodingError(request=prepared("POST"))) == "HTTP POST"
    assert sent(requests.ConnectTimeout(request=prepared("POST"))) is None


def within(error: BaseException) -> BaseException:
    with pytest.raises(type(error)) as caught, sending("COMMIT"):
        raise error
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(errno.ECONNREFUSED, ""),
        socket.gaierror(socket.EAI_AGAIN, ""),
        httpx.ConnectError(""),
        httpx.ConnectTimeout(""),
        httpx.PoolTimeout(""),
        requests.ConnectTimeout(),
        smtplib.SMTPConnectError(421, b""),
        sqlalchemy.exc.TimeoutError(),
        psycopg.errors.ConnectionTimeout(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_never_connected_sent_nothing_whatever_the_block_says(error):
    assert sent(within(error)) is None


def test_what_is_wrapped_and_never_connected_sent_nothing():
    wrapped = within(requests.ConnectionError(urllib3.exceptions.HTTPError()))
    wrapped.__context__ = urllib3.exceptions.MaxRetryError(
        None, "", reason=urllib3.exceptions.ConnectTimeoutError(None, "")
    )
    direct = ConnectionError()
    direct.reason = ConnectionRefusedError()
    inner = ConnectionError()
    inner.__cause__ = wrapped.__context__

    assert sent(wrapped) is None
    assert sent(within(direct)) is None
    assert sent(within(inner)) is None
    assert sent(within(ConnectionError())) == "COMMIT"


@pytest.mark.parametrize("status", [425, 503, 507, 521, 522, 523, 530])
def test_an_answer_that_says_that_nothing_was_done_is_believed_while_something_is_sent(status):
    assert classify(within(gateway(status))).kind is ErrorKind.UNAVAILABLE


@pytest.mark.parametrize("status", [502, 504, 408, 599])
def test_an_answer_that_does_not_is_not(status):
    assert classify(within(gateway(status, "GET"))).kind is ErrorKind.AMBIGUOUS


def test_the_innermost_block_marks_the_exception_once():
    error = within(ConnectionResetError())
    with pytest.raises(ConnectionResetError), sending("the batch"):
        raise error

    assert sent(error) == "COMMIT"
    with sending("nothing fails"):
        pass
