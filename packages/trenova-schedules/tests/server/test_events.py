import json
import threading
import time

import httpx
import pytest

pytestmark = pytest.mark.integration


def listen(site, caller, until, *, headers=None, seconds=20):
    """Return the events of a stream, as (id, kind, data), until one fits, and the comments."""
    events, comments, deadline = [], [], time.monotonic() + seconds
    with site.call(caller) as api, api.stream("GET", "/events", headers=headers or {}) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = {}
        for line in answer.iter_lines():
            assert time.monotonic() < deadline, events
            if line.startswith(":"):
                comments.append(line)
            elif line:
                name, _, value = line.partition(": ")
                told[name] = value
            elif told.get("event"):
                events.append((told.get("id"), told["event"], json.loads(told["data"])))
                told = {}
                if until(events[-1]):
                    break
    return events, comments


def begin(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_change_made_by_anybody_is_told_to_those_who_may_look_at_it(site):
    heard = {}

    def hear(caller):
        heard[caller], _ = listen(site, caller, lambda event: event[2].get("scheduleId") == "last")

    def told_of(*wanted):
        """Begin to wait until that is told; what happens between two looks is told as one."""
        return begin(lambda: listen(site, "viewer-all", lambda event: (event[1], event[2].get("scheduleId")) == wanted))

    callers = ("viewer-all", "viewer-acme")
    threads = [begin(lambda caller=caller: hear(caller)) for caller in callers]
    made, changed = told_of("created", "of-blue"), told_of("changed", "of-acme")
    time.sleep(1.5)
    site.new(id="of-acme", labels={"organization": "acme"})
    site.new(id="of-blue", labels={"organization": "blue"})
    made.join(30)
    site.do(lambda client: client.get_schedule_handle("of-acme").unpause(note="by another tool"))
    changed.join(30)
    site.new(id="last", labels={"organization": "acme"})
    for thread in threads:
        thread.join(30)

    told = {caller: {(kind, data["scheduleId"]) for _, kind, data in heard[caller][1:]} for caller in callers}
    assert heard["viewer-all"][0][1] == "hello"
    assert {("created", "of-acme"), ("created", "of-blue"), ("created", "last")} <= told["viewer-all"]
    assert ("changed", "of-acme") in told["viewer-acme"]
    assert {schedule_id for _, schedule_id in told["viewer-acme"]} == {"of-acme", "last"}


def test_who_comes_back_gets_what_was_missed_and_who_is_too_late_is_told_to_read_again(site):
    events, _ = listen(site, "viewer-all", lambda event: event[1] == "hello")
    began = events[0][0]
    thread = begin(lambda: listen(site, "viewer-all", lambda event: event[2].get("scheduleId") == "meanwhile"))
    time.sleep(1)
    site.new(id="meanwhile")
    thread.join(30)

    again, _ = listen(
        site, "viewer-all", lambda event: event[2].get("scheduleId") == "meanwhile", headers={"Last-Event-ID": began}
    )
    assert ("created", "meanwhile") in [(kind, data.get("scheduleId")) for _, kind, data in again]
    for unknown in ("nonsense", "12345678-3", "-"):
        late, _ = listen(site, "viewer-all", lambda _: True, headers={"Last-Event-ID": unknown})
        assert late[0][1] == "reset"


def test_a_quiet_stream_sends_comments_ends_by_itself_and_leaves_its_place(site):
    began = time.monotonic()
    events, comments = listen(site, "viewer-blue", lambda _: False, seconds=15)

    assert 6 < time.monotonic() - began < 14
    assert [kind for _, kind, _ in events] == ["hello"]
    assert comments.count(": nothing new") >= 2
    assert site.app_api.watch.listeners == 0


def test_no_more_streams_than_were_allowed_are_open(site):
    opened = [httpx.Client(trust_env=False, timeout=20) for _ in range(5)]
    headers = {"Authorization": f"Bearer {site.tokens['viewer-all']}"}
    statuses = []
    streams = []
    for client in opened:
        stream = client.stream("GET", f"{site.url}/api/v1/events", headers=headers)
        answer = stream.__enter__()
        lines = answer.iter_lines()  # kept, since the stream ends with it
        if answer.status_code == 200:
            next(lines)
        streams.append((stream, answer, lines))
        statuses.append((answer.status_code, answer.headers.get("retry-after")))
    for stream, answer, _ in streams:
        answer.close()
        stream.__exit__(None, None, None)
    for client in opened:
        client.close()

    assert statuses == [(200, None)] * 4 + [(503, "8")]
