from dataclasses import dataclass
from typing import NamedTuple

import httpx
import pytest
from pydantic import BaseModel

from trenova_errors.structlog import Redaction

SECRET = "hunter2-hunter2"


@pytest.mark.parametrize(
    "key",
    [
        "password", "PASSWORD", "db_password", "DB-PASSWORD", "userPassword", "passwd", "secret", "client_secret",
        "token", "access_token", "refreshToken", "api_key", "x-api-key", "apiKey", "Authorization", "Cookie",
        "Set-Cookie", "private_key", "aws.secret_access_key", "credentials", "signature", "dsn",
        "tokens", "auth", "basicAuth", "bearer", "session_id", "sessionId", "otp", "userOTP", "pin", "card_pin",
        "passcode",        "pw", "DB_PW", "signing_key", "encryption-key", b"Authorization",
    ],
)  # fmt: skip
def test_a_key_that_says_that_it_is_secret_hides_its_value(key):
    assert Redaction().of({key: SECRET, "event": "e"}) == {key: "***", "event": "e"}


@pytest.mark.parametrize(
    "key",
    [
        "event",
        "task_token",
        "next_page_token",
        "key_id",
        "tokens_left",
        "keys",
        "author",
        "key",
        "spin",
        "shipping",
        "sort_key",
    ],
)
def test_an_innocent_key_keeps_its_value(key):
    assert Redaction().of({key: "kept"}) == {key: "kept"}


def test_secrets_are_found_however_they_are_nested():
    event = {"request": {"headers": [{"Authorization": SECRET}, ("x", {"api_key": SECRET})], "ok": 1}}

    assert Redaction().of(event) == {
        "request": {"headers": [{"Authorization": "***"}, ["x", {"api_key": "***"}]], "ok": 1}
    }


def test_a_password_in_a_url_is_hidden_under_every_key():
    said = Redaction().of({"event": f"connecting to postgresql://tms:{SECRET}@db:5432/tms", "url": "https://a:b@c/"})

    assert said == {"event": "connecting to postgresql://***@db:5432/tms", "url": "https://***@c/"}


def test_what_is_deep_or_long_is_cut():
    deep = value = {}
    for _ in range(50):
        value["a"] = {}
        value = value["a"]
    value["password"] = SECRET

    said = Redaction(max_depth=3, max_items=2).of({"deep": deep, "long": list(range(100))})

    assert said == {"deep": {"a": {"a": "..."}}, "long": [0, 1]}


def test_the_event_itself_stays_as_it_was():
    event = {"outer": {"password": SECRET}}

    Redaction().of(event)

    assert event == {"outer": {"password": SECRET}}


def test_other_names_may_be_secret():
    redaction = Redaction(names=(*Redaction().names, "iban"))

    assert redaction.of({"customer_iban": "DE00"}) == {"customer_iban": "***"}


@dataclass
class Login:
    user: str
    password: str


class Card(BaseModel):
    pin: str
    holder: str


class Pair(NamedTuple):
    token: str
    kept: str


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Login("u", SECRET), {"user": "u", "password": "***"}),
        (Card(pin=SECRET, holder="h"), {"pin": "***", "holder": "h"}),
        (Pair(SECRET, "k"), {"token": "***", "kept": "k"}),
        ([("Authorization", SECRET), (b"cookie", SECRET)], [["Authorization", "***"], [b"cookie", "***"]]),
        (ValueError(f"to postgres://u:{SECRET}@h/d"), "ValueError: to postgres://***@h/d"),
        (f"postgres://u:{SECRET}@h".encode(), b"postgres://***@h"),
        (f"postgres://u:p@{SECRET}@h", "postgres://***@h"),
        (f"GET https://h/a?x=1&api_key={SECRET}&y=2", "GET https://h/a?x=1&api_key=***&y=2"),
        (f"https://h/?access_token={SECRET}", "https://h/?access_token=***"),
        (f"https://h/?token={SECRET}#top", "https://h/?token=***#top"),
        (httpx.URL(f"https://h/?token={SECRET}"), "https://h/?token=***"),
    ],
)
def test_a_secret_is_found_in_whatever_holds_it(value, expected):
    assert Redaction().of({"value": value}) == {"value": expected}
