"""One trace through everything, on a real server, with the worker as a process of its own and a collector for both."""

import json
import subprocess
import sys
from collections import Counter

import httpx
import pytest
from opentelemetry import trace
from sample_worker.waiting import eventually_awaited
from temporalio.client import WorkflowFailureError
from temporalio.worker import Replayer
from traced_worker import SECRET, TracedChild, TracedParent

from trenova_errors import ConfigurationError, ErrorsPlugin
from trenova_workers import ObservabilityOptions, ObservabilityPlugin

TRACER = "tms-api.orders"


async def start(traced, yard, name="A1"):
    """Start the job from a span of the caller's, and return that span's trace."""
    with trace.get_tracer(TRACER).start_as_current_span("POST /orders") as span:
        handle = await traced.client.start_workflow(
            "TracedParent", args=[name, yard], id=f"order/{traced.queue}", task_queue=traced.queue
        )
        return handle, trace.format_trace_id(span.get_span_context().trace_id)


async def go_on(handle, of):
    """Signal and ask from within the caller's trace."""
    with trace.get_tracer(TRACER).start_as_current_span("PATCH /orders", context=None, links=()) as span:
        assert await handle.execute_update("traced.ask", "B2") == 1
        await handle.signal("traced.go_on")
        return trace.format_trace_id(span.get_span_context().trace_id)


async def until_sent(collector, of, *names):
    """The spans of a trace as soon as those names are there."""
    return await eventually_awaited(lambda: _has(collector, of, names))


async def until_whole(collector, of, *names):
    """The same as soon as the parent of each is there too; the caller and the worker send on their own."""
    return await eventually_awaited(lambda: _has(collector, of, names, whole=True))


async def _has(collector, of, names, *, whole=False):
    spans = collector.trace(of)
    holes = {span.parent for span in spans} - {None} - {span.id for span in spans}
    return set(names) <= {span.name for span in spans} and not (whole and holes) and spans


def path(spans, span):
    """The names from the root down to a span."""
    by_id = {one.id: one for one in spans}
    names = [span.name]
    while span.parent is not None:
        span = by_id[span.parent]
        names.insert(0, span.name)
    return names


async def test_a_caller_a_workflow_an_activity_a_child_a_database_and_a_server_are_one_tree(traced, yard):
    traced.start()
    handle, of = await start(traced, yard)
    await go_on(handle, of)
    await handle.result()
    spans = await until_whole(traced.collector, of, "RunWorkflow:TracedParent", "RunWorkflow:TracedChild")

    [root] = [span for span in spans if span.parent is None]
    assert root.name == "POST /orders"
    [served] = [span for span in spans if span.name == "GET /docks/{dock}"]
    assert path(spans, served) == [
        "POST /orders",
        "StartWorkflow:TracedParent",
        "RunWorkflow:TracedParent",
        "StartActivity:traced.tell",
        "RunActivity:traced.tell",
        "GET",
        "GET /docks/{dock}",
    ]
    inserts = [span for span in spans if span.name.startswith("INSERT") or span.name.startswith("insert")]
    assert [path(spans, span)[2:-1] for span in inserts] == [
        ["RunWorkflow:TracedParent", "StartActivity:traced.store", "RunActivity:traced.store"],
        [
            "RunWorkflow:TracedParent",
            "StartChildWorkflow:TracedChild",
            "RunWorkflow:TracedChild",
            "StartActivity:traced.store",
            "RunActivity:traced.store",
        ],
    ]
    assert {span.service for span in spans} == {"tms-api", "traced-worker"}
    [worker] = {span.resource["service.instance.id"] for span in spans if span.service == "traced-worker"}
    assert len(worker) == 8


async def test_a_signal_and_an_update_hang_at_who_sent_them(traced, yard):
    traced.start()
    handle, of = await start(traced, yard)
    later = await go_on(handle, of)
    await handle.result()
    spans = await until_whole(
        traced.collector, later, "HandleSignal:traced.go_on", "HandleUpdate:traced.ask", "RunActivity:traced.store"
    )

    [signal] = [span for span in spans if span.name == "HandleSignal:traced.go_on"]
    assert path(spans, signal) == ["PATCH /orders", "SignalWorkflow:traced.go_on", "HandleSignal:traced.go_on"]
    [insert] = [span for span in spans if span.name.lower().startswith("insert")]
    assert path(spans, insert)[:-1] == [
        "PATCH /orders",
        "StartWorkflowUpdate:traced.ask",
        "HandleUpdate:traced.ask",
        "StartActivity:traced.store",
        "RunActivity:traced.store",
    ]


@pytest.mark.parametrize(
    "cache",
    [
        {"TRENOVA_WORKER__STICKY_SCHEDULE_TO_START_TIMEOUT_S": "1"},
        {"TRENOVA_WORKER__MAX_CACHED_WORKFLOWS": "0"},
    ],
    ids=["killed", "killed and without a cache"],
)
async def test_a_run_that_another_worker_replays_has_each_span_once(traced, yard, cache):
    first = traced.start(**cache)
    handle, of = await start(traced, yard)
    await until_sent(
        traced.collector, of, "RunActivity:traced.tell", "RunActivity:traced.store", "StartActivity:traced.tell"
    )
    first.kill()
    first.wait()
    traced.start(**cache)
    await go_on(handle, of)
    await handle.result()
    spans = await until_whole(traced.collector, of, "RunWorkflow:TracedParent", "RunWorkflow:TracedChild")

    ids = Counter(span.id for span in spans)
    assert [span for span in ids if ids[span] > 1] == []
    names = Counter((span.name, tuple(path(spans, span))) for span in spans if "traced" in span.name.lower())
    assert [name for name in names if names[name] > 1] == []
    assert len({span.resource["service.instance.id"] for span in spans if span.service == "traced-worker"}) == 2
    [ran] = [span for span in spans if span.name == "RunWorkflow:TracedParent"]
    [told] = [span for span in spans if span.name == "RunActivity:traced.tell"]
    assert ran.started <= told.started <= told.ended <= ran.ended  # the replayed beginning is when the run began


async def test_lines_of_the_log_name_the_trace_and_the_span_that_they_were_written_in(traced, yard):
    traced.start()
    handle, of = await start(traced, yard)
    await go_on(handle, of)
    await handle.result()
    spans = await until_whole(traced.collector, of, "RunWorkflow:TracedParent", "RunWorkflow:TracedChild")
    lines = [json.loads(line) for line in traced.log().read_text().splitlines() if line.startswith("{")]

    named = {span.id: span.name for span in spans}
    [child] = [line for line in lines if line["event"] == "a child runs"]
    assert (child["trace_id"], named[child["span_id"]]) == (of, "RunWorkflow:TracedChild")
    stored = [line for line in lines if line["event"] == "storing" and line["trace_id"] == of]
    assert [named[line["span_id"]] for line in stored] == ["RunActivity:traced.store"] * 2
    assert "trace_id" not in next(line for line in lines if line["event"] == "polling")


async def test_a_failure_is_in_the_trace_without_what_it_says(traced, yard):
    traced.start()
    with trace.get_tracer(TRACER).start_as_current_span("POST /orders") as span, pytest.raises(WorkflowFailureError):
        of = trace.format_trace_id(span.get_span_context().trace_id)
        await traced.client.execute_workflow(
            "TracedRefusal", SECRET, id=f"refusal/{traced.queue}", task_queue=traced.queue
        )
    spans = await until_whole(traced.collector, of, "RunActivity:traced.refuse", "RunWorkflow:TracedRefusal")

    [activity] = [span for span in spans if span.name == "RunActivity:traced.refuse"]
    assert activity.failed
    assert [event["name"] for event in activity.events] == ["exception"]
    assert activity.events[0]["exception.type"].endswith("DataIntegrityError")
    assert SECRET.split()[1] not in repr(spans)
    lines = [json.loads(line) for line in traced.log().read_text().splitlines() if line.startswith("{")]
    assert any(line.get("error_kind") == "data_integrity" and line.get("trace_id") == of for line in lines)


async def test_of_an_address_only_the_host_is_sent(tracing, traced, yard):
    with trace.get_tracer(TRACER).start_as_current_span("GET /secret") as span:
        of = trace.format_trace_id(span.get_span_context().trace_id)
        async with httpx.AsyncClient() as http:
            await http.get(yard.replace("/docks/7", "/docks/hooked-4711?token=hushed"))
            await http.get(yard.replace("/docks/7", "/healthz"))
    spans = await until_whole(traced.collector, of, "GET", "GET /docks/{dock}", "GET /secret")

    assert "hushed" not in repr(spans)
    asked = [span for span in spans if span.name == "GET"]
    assert {span.attributes.get("http.url", span.attributes.get("url.full")) for span in asked} == {
        yard.removesuffix("/docks/7")
    }
    assert not [span for span in spans if "healthz" in span.name]


async def test_a_run_from_before_is_replayed_by_a_worker_that_traces(tracing, traced, yard, server):
    """Ids of spans are drawn from a source of their own, so `workflow.uuid4` gives what it gave without traces."""
    traced.start(
        TRENOVA_OBSERVABILITY__OTLP_URL="",
        TRENOVA_OBSERVABILITY__OTLP_PROTOCOL="",
        TRENOVA_OBSERVABILITY__OTLP_INTERVAL_S="",
    )
    handle, of = await start(traced, yard)
    await go_on(handle, of)
    drawn = await handle.result()
    history = await handle.fetch_history()
    replayed = await Replayer(workflows=[TracedParent, TracedChild], plugins=[tracing, ErrorsPlugin()]).replay_workflow(
        history
    )

    assert replayed.replay_failure is None
    assert drawn.encode() in history.events[-1].workflow_execution_completed_event_attributes.result.payloads[0].data
    assert not [span for span in traced.collector.trace(of) if span.name == "RunWorkflow:TracedParent"]


def test_a_process_that_traces_elsewhere_already_is_told_so(tracing):
    with pytest.raises(ConfigurationError, match="with other options"):
        ObservabilityPlugin(ObservabilityOptions(otlp_url="http://127.0.0.1:9"), service="tms-api")


OWN = """
from temporalio.contrib.opentelemetry import create_tracer_provider
trace.set_tracer_provider(create_tracer_provider())
"""
ALONE = """
from opentelemetry import trace
from trenova_workers import ObservabilityOptions, ObservabilityPlugin
{before}
try:
    ObservabilityPlugin({options})
except Exception as error:
    print(type(error).__name__, error)
else:
    print("made")
"""


@pytest.mark.parametrize(
    ("before", "options", "said"),
    [
        ("", "", "would repeat"),
        (
            OWN,
            "",
            "made",
        ),
        (
            "from opentelemetry.sdk.trace import TracerProvider as Other; trace.set_tracer_provider(Other())",
            "ObservabilityOptions(otlp_url='http://127.0.0.1:9')",
            "Leave that out",
        ),
        ("import sys\nsys.modules['opentelemetry.sdk'] = None", "", "trenova-workers[observability]"),
    ],
    ids=["no provider", "a provider of one's own", "another provider", "without the extra"],
)
def test_whoever_has_a_provider_of_their_own_is_told_whether_it_fits(before, options, said):
    code = ALONE.format(before=before, options=options)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert said in done.stdout, done.stderr


async def test_a_collector_that_is_away_holds_up_no_work(traced, yard):
    worker = traced.start(TRENOVA_OBSERVABILITY__OTLP_URL="http://127.0.0.1:9")
    handle, of = await start(traced, yard)
    await go_on(handle, of)
    await handle.result()
    worker.terminate()

    assert worker.wait(timeout=20) == 0
