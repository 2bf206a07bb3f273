"""Where each library keeps the code of a failure, and which code of several says the most."""

import errno
import smtplib
import socket
import ssl
from http import HTTPStatus
from types import SimpleNamespace

import aiosmtplib
import botocore.exceptions
import grpc
import httpx
import psycopg
import pytest
import requests
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ErrorKind, classify
from trenova_errors._codes import Code, code_of
from trenova_errors._decision import Decision


def source_of(exc: BaseException) -> str | None:
    code = code_of(exc)
    assert code is None or isinstance(code.decision.kind, ErrorKind)
    return None if code is None else code.source


def carrying(cls: type[Exception] = Exception, **attributes: object) -> Exception:
    error = cls()
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


class Call(grpc.RpcError):
    """What grpc.aio and a blocking channel raise: the status is the answer of a method."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.ABORTED


def at_login(*, needs_password: object) -> psycopg.OperationalError:
    """Stand for what libpq leaves behind; test_real_postgres has the server that refuses."""
    connection = SimpleNamespace(needs_password=needs_password)
    return type("OperationalError", (psycopg.OperationalError,), {"pgconn": connection})()


def answered(status: int) -> httpx.HTTPStatusError:
    request = httpx.Request("GET", "http://127.0.0.1/")
    return httpx.HTTPStatusError("", request=request, response=httpx.Response(status, request=request))


def aws(code: object = None, status: object = None) -> botocore.exceptions.ClientError:
    error = {} if code is None else {"Code": code}
    return botocore.exceptions.ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetKey")


def refused(**replies: int) -> smtplib.SMTPRecipientsRefused:
    return smtplib.SMTPRecipientsRefused({name: (reply, b"secret") for name, reply in replies.items()})


@pytest.mark.parametrize(
    ("error", "source"),
    [
        (carrying(sqlstate="40P01"), "SQLSTATE 40P01"),
        (carrying(pgcode="40P01"), "SQLSTATE 40P01"),
        (carrying(sqlstate="40P01", pgcode="23505"), "SQLSTATE 40P01"),
        (carrying(sqlstate="57999"), "SQLSTATE 57999"),
        (carrying(sqlstate="AB123"), None),
        (at_login(needs_password=True), "SQLSTATE 28P01"),
        (at_login(needs_password=1), None),
        (at_login(needs_password=False), None),
        (carrying(pgconn=SimpleNamespace(needs_password=True)), None),
        (carrying(sqlite_errorname="SQLITE_BUSY_SNAPSHOT"), "SQLite SQLITE_BUSY_SNAPSHOT"),
        (carrying(sqlite_errorname="SQLITE_UNHEARD_OF"), None),
        (carrying(sqlite_errorname=5), None),
        (RPCError("", RPCStatusCode.ABORTED, b""), "gRPC ABORTED"),
        (carrying(grpc_status_code=grpc.StatusCode.DATA_LOSS), "gRPC DATA_LOSS"),
        (carrying(status=grpc.StatusCode.NOT_FOUND), "gRPC NOT_FOUND"),
        (carrying(status=grpc.StatusCode.OK), None),
        (carrying(status=HTTPStatus.NOT_FOUND), "HTTP 404"),
        (Call(), "gRPC ABORTED"),
        (aws("SlowDown", 404), "AWS SlowDown"),
        (aws("NeverHeardOf", 404), "HTTP 404"),
        (aws(None, 503), "HTTP 503"),
        (aws(7, 200), None),
        (carrying(response={"Error": {"Code": "SlowDown"}}), "AWS SlowDown"),
        (carrying(response={"Error": "SlowDown"}), None),
        (carrying(response={}), None),
        (carrying(response=SimpleNamespace(get=lambda _: {"Code": "SlowDown"})), None),
        (smtplib.SMTPResponseException(451, b""), "SMTP 451"),
        (smtplib.SMTPResponseException(459, b""), "SMTP 459"),
        (smtplib.SMTPResponseException(250, b""), None),
        (smtplib.SMTPResponseException("451", b""), None),
        (aiosmtplib.SMTPResponseException(550, ""), "SMTP 550"),
        (refused(a=550), "SMTP 550"),
        (refused(a=550, b=451, c=452), "SMTP 451"),
        (refused(a=550, b=553), "SMTP 550"),
        (refused(a=250), None),
        (
            aiosmtplib.SMTPRecipientsRefused(
                [aiosmtplib.SMTPRecipientRefused(550, "", "a"), aiosmtplib.SMTPRecipientRefused(450, "", "b")]
            ),
            "SMTP 450",
        ),
        (carrying(smtplib.SMTPRecipientsRefused.__base__, recipients={"a": "550", "b": ("550",)}), None),
        (carrying(smtplib.SMTPException, recipients=[SimpleNamespace(code="550")]), None),
        (carrying(code=451), "HTTP 451"),
        (answered(503), "HTTP 503"),
        (answered(300), "HTTP 300"),
        (answered(399), "HTTP 399"),
        (answered(299), None),
        (answered(200), None),
        (carrying(response=SimpleNamespace(status_code=True)), None),
        (carrying(response=SimpleNamespace(status_code="302")), None),
        (carrying(response=SimpleNamespace(status_code=404), status_code=500), "HTTP 404"),
        (carrying(status_code=404, status=500), "HTTP 404"),
        (carrying(status=404, code=500), "HTTP 404"),
        (carrying(code=404), "HTTP 404"),
        (carrying(code=399), None),
        (carrying(code=600), None),
        (OSError(errno.ECONNRESET, ""), "errno ECONNRESET"),
        (carrying(OSError, errno="ECONNRESET"), None),
        (carrying(errno=errno.ECONNRESET), None),
        (ssl.SSLError(errno.ECONNRESET, ""), None),
        (socket.gaierror(socket.EAI_AGAIN, ""), "getaddrinfo EAI_AGAIN"),
        (socket.gaierror(99_999, ""), None),
        (OSError(99_999, ""), None),
        (OSError(), None),
    ],
)
def test_a_code_is_found_where_its_library_keeps_it(error, source):
    assert source_of(error) == source


def test_a_status_of_an_answer_that_is_no_http_is_not_read():
    broken = type("HttpProcessingError", (Exception,), {"__module__": "aiohttp.http_exceptions", "code": 400})
    outer = carrying(code=400)
    outer.__cause__ = broken()

    assert source_of(broken()) is None
    assert source_of(outer) is None


def test_a_driver_says_more_than_a_status_and_that_more_than_the_operating_system():
    error = OSError(errno.ECONNRESET, "")
    expected = []
    for name, value, source in (
        ("code", 404, "HTTP 404"),
        ("response", {"Error": {"Code": "SlowDown"}}, "AWS SlowDown"),
        ("status", grpc.StatusCode.ABORTED, "gRPC ABORTED"),
        ("sqlite_errorname", "SQLITE_BUSY", "SQLite SQLITE_BUSY"),
        ("sqlstate", "40P01", "SQLSTATE 40P01"),
    ):
        setattr(error, name, value)
        expected.append((source_of(error), source))

    assert all(found == source for found, source in expected), expected


def test_a_method_that_has_the_name_of_one_of_grpc_is_not_asked():
    called = []

    class Fuse(Exception):  # noqa: N818
        def code(self) -> None:
            called.append(self)

    assert source_of(Fuse()) is None
    assert called == []


def test_a_reply_of_a_mail_server_is_not_read_as_an_http_status():
    assert source_of(smtplib.SMTPResponseException(404, b"")) == "SMTP 404"
    assert source_of(requests.HTTPError(response=answered(404).response)) == "HTTP 404"


class NoTruth:
    """As columns of SQLAlchemy and arrays of numpy are."""

    def __bool__(self) -> bool:
        raise TypeError


@pytest.mark.parametrize(
    "name",
    [
        *("sqlstate", "pgcode", "sqlite_errorname", "grpc_status_code", "status", "status_code", "code", "response"),
        *("headers", "request", "orig", "smtp_code", "recipients", "raw_grpc_status"),
    ],
)
@pytest.mark.parametrize("cls", [RuntimeError, smtplib.SMTPException, requests.HTTPError, httpx.HTTPError])
def test_what_is_neither_true_nor_false_is_no_code(cls, name):
    error = cls("secret")
    setattr(error, name, NoTruth())

    assert classify(error).failure
    assert source_of(error) is None


def test_a_code_is_written_for_people_and_for_programs():
    code = Code("SQLite", "SQLITE_BUSY", Decision(ErrorKind.RETRYABLE, "held"))

    assert (code.source, code.code) == ("SQLite SQLITE_BUSY", "sqlite.SQLITE_BUSY")


def test_a_code_that_is_its_own_name_is_said_once():
    assert code_of(OSError(errno.ECONNRESET, "")).described == "errno ECONNRESET"
    assert code_of(carrying(sqlstate="40P01")).described == "SQLSTATE 40P01 (deadlock_detected)"
