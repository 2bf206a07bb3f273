import csv
import io
import json
from datetime import UTC, datetime, timedelta

from trenova_schedules.store import AlertState, Tick, TickClass

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_every_write_is_in_the_trail_with_who_authenticated_why_and_what_it_was(site, api):
    made = site.new(labels={"organization": "acme"})
    path = f"/schedules/{made['id']}"
    with site.call("operator-acme", headers={"X-Request-Id": "request-7"}) as operator:
        operator.post(f"{path}/resume", json={"reason": "begin"})
        operator.post(f"{path}/pause", json={"reason": "Friday"})
    api.patch(path, json={"note": "x"}, headers={"If-Match": '"stale"'})
    api.delete(path, params={"reason": "over"})

    entries = api.get("/audit", params={"scheduleId": made["id"]}).json()["entries"]

    assert [(one["action"], one["outcome"]) for one in entries] == [
        ("delete", "done"),
        ("update", "refused"),
        ("pause", "done"),
        ("resume", "done"),
        ("create", "done"),
    ]
    pause = entries[2]
    assert (pause["actor"], pause["reason"], pause["requestId"]) == ("operator-acme", "Friday", "request-7")
    assert (pause["source"], pause["organizationId"]) == ("rest", "acme")
    assert (pause["before"]["paused"], pause["after"]["paused"]) == (False, True)
    assert api.get(f"{path}/audit").json()["entries"] == entries, "also of a schedule that is gone"


def test_the_trail_is_paged_and_exported_as_json_lines_and_csv(site, api):
    made = site.new()
    for number in range(5):
        api.patch(f"/schedules/{made['id']}", json={"note": f"={number}"}, headers={"If-Match": "*"})
    query = {"scheduleId": made["id"]}

    seen, cursor = [], None
    while True:
        page = api.get("/audit", params=query | {"limit": 2} | ({} if cursor is None else {"cursor": cursor})).json()
        seen += page["entries"]
        cursor = page.get("nextCursor")
        if cursor is None:
            break
    lines = api.get("/audit/export", params=query)
    table = api.get("/audit/export", params=query | {"form": "csv"})

    assert len(seen) == 6
    assert lines.headers["content-type"] == "application/jsonl"
    assert [json.loads(line)["id"] for line in lines.text.splitlines()] == [one["id"] for one in seen]
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["id"] for row in rows] == [one["id"] for one in seen]


def test_ticks_are_paged_filtered_and_counted_into_a_summary(site, api):
    made = site.new(id="ledger-one", labels={"organization": "acme"})
    site.new(id="ledger-two", labels={"organization": "blue"})
    states = [TickClass.ON_TIME] * 6 + [TickClass.REAL_MISS, TickClass.LATE, TickClass.PAUSED, TickClass.PENDING]
    ticks = [
        Tick.model_validate(
            {"scheduleId": name, "at": NOON + timedelta(minutes=number), "class": state, "observedAt": NOON}
        )
        for name in ("ledger-one", "ledger-two")
        for number, state in enumerate(states)
    ]
    site.do(lambda _: site.store.ticks.upsert(ticks[:10]))
    site.do(lambda _: site.store.ticks.upsert(ticks[10:]))
    window = {"from": NOON.isoformat(), "to": (NOON + timedelta(hours=1)).isoformat()}
    path = f"/schedules/{made['id']}/ticks"

    first = api.get(path, params=window | {"limit": 7}).json()
    rest = api.get(path, params=window | {"from": first["nextFrom"]}).json()
    missed = api.get(path, params=window | {"class": ["real_miss", "late"]}).json()["ticks"]

    assert [one["class"] for one in first["ticks"] + rest["ticks"]] == [str(state) for state in states]
    assert rest["nextFrom"] is None
    assert [one["class"] for one in missed] == ["real_miss", "late"]
    everything = api.get("/slo", params=window).json()["schedules"]
    assert [one["scheduleId"] for one in everything] == ["ledger-one", "ledger-two"]
    assert (everything[0]["expected"], everything[0]["onTime"]) == (8, 0.75)
    one = api.get("/schedules/ledger-one/slo", params=window).json()
    assert (one["counts"], one["failingSince"], one["judgedTo"]) == (everything[0]["counts"], None, None)
    bad = AlertState(schedule_id="ledger-one", bad=1, judged_to=NOON, failing_since=NOON)
    site.do(lambda _: site.store.alerts.keep(bad))
    assert api.get("/schedules/ledger-one/slo", params=window).json()["failingSince"] == "2026-11-01T12:00:00Z"
    site.wait_for("ledger-", 2)
    with site.call("viewer-blue") as blue:
        assert [one["scheduleId"] for one in blue.get("/slo", params=window).json()["schedules"]] == ["ledger-two"]
    reversed_ = api.get(path, params={"from": window["to"], "to": window["from"]})
    assert (reversed_.status_code, "before it begins" in reversed_.json()["detail"]) == (422, True)
    assert api.get("/slo", params={"from": "1950-01-01T00:00:00Z"}).status_code == 422
