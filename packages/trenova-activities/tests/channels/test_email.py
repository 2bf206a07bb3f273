import email
import email.policy
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from channel_peers import CUT, KEY, MailServer, free_port, message
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trenova_activities.channels import EmailChannel, EmailOptions, RateOptions
from trenova_activities.channels._mail import MailWriter
from trenova_errors import AmbiguousOutcomeError, ApplicationError, InvalidInputError, ThrottledError

TO = "ann@example.com"
PASSWORD = "planted-mail-password"
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Trenova-Delivery",
    "X-Priority",
    "MIME-Version",
    "Content-Type",
]
WRITER = MailWriter(EmailOptions(host="localhost", sender="tms@example.com"))


@pytest.fixture(scope="module")
def running(server_tls: ssl.SSLContext) -> Iterator[MailServer]:
    server = MailServer(server_tls, password=PASSWORD)
    yield server
    server.close()


@pytest.fixture
def server(running: MailServer) -> MailServer:
    running.reply, running.taken, running.signed_in = {}, [], []
    return running


@contextmanager
def another(*args, **options) -> Iterator[MailServer]:
    server = MailServer(*args, **options)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def told(ca_file):
    def make(server: MailServer, **changes) -> EmailOptions:
        options = {
            "host": "localhost",
            "port": server.port,
            "sender": "tms@example.com",
            "ca_file": ca_file,
            "timeout_s": 5,
            "link_base": "https://tms.example",
        }
        return EmailOptions(**(options | changes))

    return make


def parsed(raw: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


async def test_a_message_is_one_mail_in_text_and_html_over_verified_tls(server: MailServer, told):
    assert await EmailChannel(told(server)).send(message(), TO) == "SMTP 250"

    mail = parsed(server.taken[0])
    assert (mail["To"], mail["From"], mail["Subject"]) == (
        TO,
        "Trenova <tms@example.com>",
        "Shipment Duplication Failed",
    )
    assert mail["Message-ID"] == f"<{KEY}@example.com>"
    assert "It was too late." in mail.get_body(("plain",)).get_content()
    assert 'href="https://tms.example/shipments/shp_1"' in mail.get_body(("html",)).get_content()


async def test_a_repetition_is_the_same_to_the_last_byte(server: MailServer, told):
    channel = EmailChannel(told(server))

    await channel.send(message(), TO)
    await channel.send(message(), TO)

    assert server.taken[0] == server.taken[1]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_it_signs_in_over_tls(server_tls, told, security: str):
    with another(server_tls, implicit=security == "tls", password=PASSWORD) as server:
        options = told(server, security=security, username="tms", password=PASSWORD)
        channel = EmailChannel(options)
        [probe] = await channel.probe()
        await channel.send(message(), TO)

        assert probe.ok, probe.detail
        assert PASSWORD not in repr(options) + probe.detail
        assert server.signed_in == [b"tms", b"tms"]
        assert len(server.taken) == 1


async def test_refused_credentials_are_a_matter_of_configuration(server: MailServer, told):
    channel = EmailChannel(told(server, username="tms", password="wrong-planted"))

    with pytest.raises(ApplicationError) as caught:
        await channel.send(message(), TO)
    [probe] = await channel.probe()

    assert (caught.value.kind, caught.value.code) == ("configuration", "smtp.535")
    assert not probe.ok
    assert "planted" not in str(caught.value) + probe.detail
    assert server.taken == []


@pytest.mark.parametrize("broken", ["host", "ca_file"])
async def test_a_certificate_that_is_not_for_the_server_gets_no_mail(server: MailServer, told, broken: str):
    changes = {"host": "127.0.0.1"} if broken == "host" else {"ca_file": None}

    with pytest.raises(ApplicationError) as caught:
        await EmailChannel(told(server, **changes)).send(message(), TO)

    assert not isinstance(caught.value, AmbiguousOutcomeError)
    assert server.taken == []


async def test_a_server_without_starttls_gets_no_mail(told):
    with another(None) as server:
        with pytest.raises(ApplicationError) as caught:
            await EmailChannel(told(server)).send(message(), TO)

        assert caught.value.kind == "configuration"
        assert server.taken == []


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (421, ("unavailable", False)),
        (451, ("unavailable", False)),
        (452, ("throttle", False)),
        (550, ("resource_not_found", True)),
    ],
)
async def test_a_refusal_is_tried_again_only_if_it_is_transient(server, told, command, reply, expected):
    server.reply = {command: reply}

    with pytest.raises(ApplicationError) as caught:
        await EmailChannel(told(server)).send(message(), TO)

    error = caught.value
    assert (error.kind, error.non_retryable, error.code) == (*expected, f"smtp.{reply}")
    assert "planted" not in error.message
    assert TO not in error.message


async def test_a_connection_lost_after_the_text_is_ambiguous_and_tried_again_with_the_same_id(server: MailServer, told):
    channel = EmailChannel(told(server))
    server.reply = {"DATA": CUT}
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await channel.send(message(), TO)
    server.reply = {}
    await channel.send(message(), TO)

    assert not caught.value.non_retryable
    assert {parsed(raw)["Message-ID"] for raw in server.taken} == {f"<{KEY}@example.com>"}
    assert len(server.taken) == 2


async def test_a_connection_lost_before_the_text_is_not_ambiguous(server: MailServer, told):
    server.reply = {"RCPT": CUT}

    with pytest.raises(ApplicationError) as caught:
        await EmailChannel(told(server)).send(message(), TO)

    assert (caught.value.kind, caught.value.non_retryable) == ("unavailable", False)


async def test_nobody_at_the_port_is_not_ambiguous(server: MailServer, told):
    with pytest.raises(ApplicationError) as caught:
        await EmailChannel(told(server, port=free_port())).send(message(), TO)

    assert caught.value.kind == "unavailable"


async def test_no_text_begins_another_header(server: MailServer, told):
    evil = "Hello\r\nBcc: spy@example.com\r\n\r\nbody\x00\u2028x"

    await EmailChannel(told(server)).send(message(title=evil, message="a\r\n.\r\nMAIL FROM:<x@example.com>"), TO)

    mail = parsed(server.taken[0])
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Hello Bcc: spy@example.com body x"
    assert len(server.taken) == 1
    assert "MAIL FROM:<x@example.com>" in mail.get_body(("plain",)).get_content()


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_a_text_holds_the_mail_has_these_headers_and_two_parts(title: str, text: str):
    written = WRITER.write(message(title=title, message=text), TO).as_bytes()

    mail = parsed(written)
    assert sorted(mail.keys()) == sorted(HEADERS)
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert written.isascii()
    assert max(map(len, written.split(b"\r\n"))) <= 998  # RFC 5321, section 4.5.3.1.6


@pytest.mark.parametrize(
    "address", ["a@b.example\r\nBcc: c@d.example", "a@b.example,c@d.example", "a b@c.example", "", "é@b.example"]
)
async def test_an_address_that_is_not_one_plain_address_gets_no_mail(server: MailServer, told, address: str):
    with pytest.raises(InvalidInputError) as caught:
        await EmailChannel(told(server)).send(message(), address)

    assert "example" not in caught.value.message
    assert server.taken == []


def test_html_is_escaped_and_links_lead_into_the_tms_only(ca_file):
    options = EmailOptions(host="localhost", sender="tms@example.com", link_base="https://tms.example")
    urls = ["javascript:alert(1)", "//evil.example/x", "https://evil.example", "/\\evil.example", "/ok\nx"]
    entities = [{"type": "t", "id": f"e{n}", "name": "<b>n</b>", "url": url} for n, url in enumerate(urls)]
    told = message(title="<script>alert(1)</script>", message="<img src=x onerror=y>", related_entities=entities)

    html = MailWriter(options).write(told, TO).get_body(("html",)).get_content()

    assert "<script>" not in html
    assert "<img" not in html
    assert "href" not in html
    assert "&lt;script&gt;" in html


def test_a_template_of_the_event_wins_and_one_of_the_service_wins_over_ours(tmp_path):
    copied = message(event_type="configuration.copied", message="Bob copied it.")
    ours = MailWriter(EmailOptions(host="x", sender="tms@example.com"))
    (tmp_path / "configuration.copied.txt.j2").write_text("Mine: {{ message.message }}")
    theirs = MailWriter(EmailOptions(host="x", sender="tms@example.com", templates=tmp_path))

    assert "belongs to whoever made it" in ours.write(copied, TO).get_body(("html",)).get_content()
    assert theirs.write(copied, TO).get_body(("plain",)).get_content().strip() == "Mine: Bob copied it."


def test_a_broken_template_is_a_matter_of_configuration(tmp_path):
    (tmp_path / "default.txt.j2").write_text("{{ message.nothing }}")
    writer = MailWriter(EmailOptions(host="x", sender="tms@example.com", templates=tmp_path))

    with pytest.raises(ApplicationError, match="The txt template of") as caught:
        writer.write(message(), TO)
    assert caught.value.kind == "configuration"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "x"}, "only one of username and password"),
        ({"username": "u", "password": "x", "security": "none"}, "a password only goes over TLS"),
        ({"sender": "a@b.example, c@d.example"}, "not one plain mail address"),
        ({"sender_name": "a\r\nBcc: x"}, "a header is one line"),
    ],
)
def test_settings_that_would_be_unsafe_are_refused(changes, said):
    with pytest.raises(ValidationError, match=said):
        EmailOptions(**({"host": "x", "sender": "tms@example.com"} | changes))


async def test_more_than_the_rate_waits_and_is_then_throttled(server: MailServer, told):
    channel = EmailChannel(told(server, rate=RateOptions(messages=1, per_s=60, wait_s=0)))

    await channel.send(message(), TO)
    with pytest.raises(ThrottledError) as caught:
        await channel.send(message(), TO)

    assert caught.value.next_retry_delay.total_seconds() == 60
    assert len(server.taken) == 1
