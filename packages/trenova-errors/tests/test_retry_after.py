"""Delays that another side asks for: read from where its protocol puts them, bounded, and spread."""

import random
from datetime import UTC, datetime, timedelta, timezone
from email.message import Message
from types import SimpleNamespace

import grpc
import grpc.aio
import httpx
import pytest
import temporalio.service
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_peer import PATH, Answer, Context, grpc_server
from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from trenova_errors import ErrorKind, HintOptions, RuleSet, classify
from trenova_errors._retry_after import parse

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
EXACT = RuleSet(hints=HintOptions(chance=lambda: 0.0, now=lambda: NOON))


def answered(status: int, **headers: str) -> httpx.HTTPStatusError:
    request = httpx.Request("GET", "http://127.0.0.1/")
    response = httpx.Response(
        status, headers={name.replace("_", "-"): value for name, value in headers.items()}, request=request
    )
    return httpx.HTTPStatusError("Retry-After: 99", request=request, response=response)


def asked(header: str) -> timedelta | None:
    return classify(answered(503, Retry_After=header), rules=EXACT).retry_after


@pytest.mark.parametrize("header", ["120", " 120 ", "0120"])
def test_whole_seconds_are_read(header):
    assert asked(header) == timedelta(minutes=2)


@pytest.mark.parametrize(
    "header",
    ["Sun, 01 Mar 2026 12:02:00 GMT", "Sunday, 01-Mar-26 12:02:00 GMT", "Sun Mar  1 12:02:00 2026"],
    ids=["IMF-fixdate", "RFC 850", "asctime"],
)
def test_each_form_of_an_http_date_is_read(header):
    assert asked(header) == timedelta(minutes=2)


def test_a_date_of_another_zone_is_the_same_moment():
    assert asked("Sun, 01 Mar 2026 14:02:00 +0200") == timedelta(minutes=2)


@pytest.mark.parametrize("header", ["0", "Sun, 01 Mar 2026 11:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_no_delay_is_asked_by_zero_and_by_a_date_in_the_past(header):
    assert asked(header) == timedelta(0)


@pytest.mark.parametrize(
    "header",
    ["", " ", "-5", "1.5", "1e3", "soon", "5 seconds", "\u0665", "Sun, 31 Feb 2026 12:00:00 GMT", "99:99", "0x10"],
)
def test_nonsense_asks_for_nothing(header):
    assert parse(header, lambda: NOON) is None


@pytest.mark.parametrize("header", ["3601", "9" * 20, "9" * 400, "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_delay_longer_than_is_believed_is_cut(header):
    assert asked(header) == timedelta(hours=1)


@settings(deadline=None)
@given(
    st.text(max_size=40)
    | st.from_regex(r"\A[A-Z][a-z]{2}, [0-9]{1,5} [A-Z][a-z]{2} [0-9]{1,9} [0-9:]{1,12} [+-]?\w+\Z")
)
def test_no_header_fails_to_be_read(header):
    found = parse(header, lambda: NOON)

    assert found is None or found >= timedelta(0)


@settings(deadline=None)
@given(
    st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001 - the zone is next
    st.integers(-14 * 60, 14 * 60),
)
def test_any_date_that_can_be_written_is_read_back(moment, minutes_east):
    zoned = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes_east)))
    text = zoned.strftime("%a, %d %b %Y %H:%M:%S %z")

    assert parse(text, lambda: NOON) == max(zoned - NOON, timedelta(0))


def test_headers_are_found_wherever_a_library_keeps_them():
    message = Message()
    message["retry-after"] = "7"
    for places in (
        {"response": SimpleNamespace(headers={"Retry-After": "7"})},
        {"headers": message},
        {"response": {"ResponseMetadata": {"HTTPHeaders": {"retry-after": "7"}}}},
    ):
        error = RuntimeError()
        error.code = 503
        error.__dict__.update(places)
        assert classify(error, rules=EXACT).retry_after == timedelta(seconds=7)


def test_aws_asks_in_milliseconds():
    assert classify(answered(503, x_amz_retry_after="1500"), rules=EXACT).retry_after == timedelta(seconds=1.5)
    assert classify(answered(503, x_amz_retry_after="-1"), rules=EXACT).retry_after is None


def test_nothing_is_read_from_the_text_of_an_exception():
    class RateLimitedError(httpx.HTTPError):
        pass

    assert classify(answered(429)).retry_after is None
    assert classify(RateLimitedError("Retry-After: 30; retry in 30 seconds")).retry_after is None


def test_a_kind_that_is_not_retried_has_no_delay():
    assert classify(answered(404, Retry_After="30")).retry_after is None


def test_a_moved_clock_does_not_lengthen_a_delay_in_seconds():
    late = RuleSet(hints=HintOptions(chance=lambda: 0.0, now=lambda: NOON + timedelta(days=365)))

    assert classify(answered(503, Retry_After="5"), rules=late).retry_after == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("asked_s", "chance", "taken_s"),
    [(10, 0.0, 10), (10, 0.5, 15), (0, 0.5, 0.5), (100, 0.5, 115), (7200, 0.5, 3615), (-5, 0.5, 0.5)],
)
def test_a_part_of_the_delay_is_added_by_chance(asked_s, chance, taken_s):
    options = HintOptions(chance=lambda: chance)

    assert options.taken(timedelta(seconds=asked_s)) == timedelta(seconds=taken_s)


@settings(deadline=None)
@given(
    asked_s=st.floats(-1e9, 1e9),
    chance=st.floats(0, 1, exclude_max=True),
    longest_s=st.integers(0, 86_400),
    spread_s=st.integers(0, 3_600),
)
def test_nobody_comes_back_early_or_later_than_the_bounds_allow(asked_s, chance, longest_s, spread_s):
    longest, spread = timedelta(seconds=longest_s), timedelta(seconds=spread_s)
    options = HintOptions(longest=longest, spread=spread, chance=lambda: chance)
    taken = options.taken(timedelta(seconds=asked_s))

    assert min(max(timedelta(seconds=asked_s), timedelta(0)), longest) <= taken <= longest + spread


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32), asked_s=st.integers(2, 3_000))
def test_a_herd_of_a_thousand_that_was_sent_away_together_does_not_come_back_together(seed, asked_s):
    options = HintOptions(chance=random.Random(seed).random)
    error = answered(429, Retry_After=str(asked_s))
    back = [classify(error, rules=RuleSet(hints=options)).retry_after.total_seconds() for _ in range(1000)]

    room = min(asked_s, 30)
    tenths = [sum(1 for at in back if asked_s + room * k / 10 <= at < asked_s + room * (k + 1) / 10) for k in range(10)]
    assert sum(tenths) == 1000
    assert max(tenths) <= 200  # 100 are expected, and 200 are more than ten standard deviations away


def refusing(*details: object, code: grpc.StatusCode = grpc.StatusCode.RESOURCE_EXHAUSTED) -> Answer:
    def answer(context: Context) -> None:
        status = Status(code=code.value[0], message="retry in 99 s")
        for detail in details:
            packed = AnyMessage()
            packed.Pack(detail)
            status.details.append(packed)
        context.set_code(code)
        context.set_details("retry in 99 s")
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))

    return answer


def retry_info(seconds: int, nanos: int = 0) -> RetryInfo:
    info = RetryInfo()
    info.retry_delay.seconds, info.retry_delay.nanos = seconds, nanos
    return info


async def by_aio(address: str) -> BaseException:
    async with grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(PATH)(b"", timeout=10)
    return caught.value


async def by_temporal(address: str) -> BaseException:
    config = temporalio.service.ConnectConfig(target_host=address, lazy=True)
    client = await temporalio.service.ServiceClient.connect(config)
    with pytest.raises(temporalio.service.RPCError) as caught:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(), timeout=timedelta(seconds=10))
    return caught.value


@pytest.mark.parametrize("ask", [by_aio, by_temporal])
async def test_retry_info_of_a_grpc_status_is_read(ask):
    info = ErrorInfo(reason="QUOTA", domain="test")
    async with grpc_server(refusing(info, retry_info(4, 500_000_000))) as address:
        found = classify(await ask(address), rules=EXACT)

    assert (found.kind, found.source) == (ErrorKind.THROTTLE, "gRPC RESOURCE_EXHAUSTED")
    assert found.retry_after == timedelta(seconds=4.5)
    assert "99" not in repr(found)


@pytest.mark.parametrize("ask", [by_aio, by_temporal])
@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ([], None),
        ([ErrorInfo(reason="retry in 30 s")], None),
        ([RetryInfo()], timedelta(0)),
        ([retry_info(-30)], timedelta(0)),
        ([retry_info(2**62)], timedelta(hours=1)),
        ([retry_info(-(2**62))], timedelta(0)),
        ([retry_info(1, -(2**31))], timedelta(0)),
    ],
    ids=["no details", "other details", "empty", "negative", "huge", "hugely negative", "nanos out of range"],
)
async def test_retry_info_of_any_size_is_bounded(ask, details, expected):
    async with grpc_server(refusing(*details)) as address:
        found = classify(await ask(address), rules=EXACT)

    assert found.retry_after == expected


async def test_details_that_are_no_status_ask_for_nothing():
    def garbage(context: Context) -> None:
        context.set_code(grpc.StatusCode.UNAVAILABLE)
        context.set_trailing_metadata((("grpc-status-details-bin", b"\xff\xff\xff garbage"), ("other", "30")))

    async with grpc_server(garbage) as address:
        found = classify(await by_aio(address), rules=EXACT)

    assert (found.source, found.retry_after) == ("gRPC UNAVAILABLE", None)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_of_a_status_fail_to_be_read(raw):
    packed = AnyMessage(type_url="type.googleapis.com/google.rpc.RetryInfo", value=raw)
    for status in (raw, Status(details=[packed]).SerializeToString()):
        error = temporalio.service.RPCError("", temporalio.service.RPCStatusCode.UNAVAILABLE, status)
        found = classify(error).retry_after
        assert found is None or found >= timedelta(0)
