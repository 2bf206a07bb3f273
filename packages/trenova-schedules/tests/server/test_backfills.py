import time
from datetime import UTC, datetime, timedelta

import pytest

pytestmark = pytest.mark.integration

KEY = "Idempotency-Key"


def past(minutes=5, **fields):
    end = datetime.now(UTC).replace(microsecond=0, second=0) - timedelta(hours=1)
    start = end - timedelta(minutes=minutes)
    return {"startAt": start.isoformat(), "endAt": end.isoformat(), "reason": "outage", "policy": "all", **fields}


def ended(api, path):
    deadline = time.monotonic() + 40
    while (found := api.get(path).json())["status"] == "running":
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found["status"], found["progress"]


def test_a_backfill_is_previewed_started_once_under_its_key_and_followed_to_its_end(site, api):
    made = site.new(cron=None, interval="PT1M", overlap="allow_all")
    path, body = f"/schedules/{made['id']}/backfills", past()

    preview = api.post(f"{path}/preview", json=body).json()
    started = api.post(path, json=body, headers={KEY: "friday"})
    again = api.post(path, json=body, headers={KEY: "friday"})
    other = api.post(path, json=past(policy="missing"), headers={KEY: "friday"})

    assert preview["planned"] == 5
    assert (started.status_code, again.status_code) == (202, 202), started.text
    assert started.json() == again.json()
    assert (other.status_code, other.headers["content-type"]) == (409, "application/problem+json")
    status, done = ended(api, f"{path}/{started.json()['key']}")
    assert (status, done["planned"], done["verified"]["holes"]) == ("completed", 5, 0)
    runs = site.do(lambda client: client.count_workflows(f"TemporalScheduledById = '{made['id']}'"))
    assert runs.count == 5


def test_a_backfill_is_paused_resumed_and_canceled_and_all_of_it_is_in_the_trail(site, api):
    made = site.new(cron=None, interval="PT1M", overlap="allow_all")
    path = f"/schedules/{made['id']}/backfills"
    body = past(300, ratePerSecond=2)
    one = f"{path}/{api.post(path, json=body, headers={KEY: 'slow'}).json()['key']}"

    paused = api.post(f"{one}/pause", json={"reason": "wait"})
    assert (paused.status_code, paused.json()["applied"]) == (200, True), paused.text
    assert api.get(one).json()["progress"]["phase"] in {"pausing", "paused"}
    assert api.post(f"{one}/resume", json={"reason": "go on"}).json()["applied"]
    faster = api.post(f"{one}/limits", json={"reason": "they are done", "ratePerSecond": 3})
    assert (faster.status_code, faster.json()["limits"]["ratePerSecond"]) == (200, 3), faster.text
    assert api.post(f"{one}/limits", json={"reason": "r", "ratePerSecond": 1001}).status_code == 422
    assert api.post(f"{one}/cancel", json={"reason": "enough", "runs": "leave"}).json()["applied"]
    status, done = ended(api, one)
    assert (status, done["started"]["processed"] < 300) == ("canceled", True)
    assert api.post(f"{one}/pause", json={"reason": "too late"}).status_code == 409

    actions = [entry["action"] for entry in api.get(f"/schedules/{made['id']}/audit").json()["entries"]]
    assert actions[:6] == [
        "backfill.pause",
        "backfill.cancel",
        "backfill.limits",
        "backfill.resume",
        "backfill.pause",
        "backfill.start",
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"startAt": "2026-02-01T00:00:00Z", "endAt": "2026-01-01T00:00:00Z"}, "before it begins"),
        ({"startAt": "1976-01-01T00:00:00Z", "endAt": "2026-01-01T00:00:00Z"}, "years"),
        ({"startAt": "2024-01-01T00:00:00Z", "endAt": "2026-01-01T00:00:00Z", "maxTicks": 250_000}, "ticks"),
        ({"startAt": "2026-01-01T00:00:00Z", "endAt": "2126-01-01T00:00:00Z", "policy": "all"}, ""),
        ({"reason": ""}, "reason"),
        ({"policy": "some"}, "policy"),
    ],
)
def test_a_backfill_that_could_not_be_is_refused_in_words_and_starts_nothing(site, api, wrong, said):
    made = site.new(cron=None, interval="PT1M")
    path = f"/schedules/{made['id']}/backfills"

    answer = api.post(path, json=past(**wrong), headers={KEY: "wrong"})

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
    assert said in answer.json()["detail"]
    count = site.do(lambda client: client.count_workflows('WorkflowType = "BackfillScheduleWorkflow"'))
    assert api.post(path, json=past()).status_code == 428
    after = site.do(lambda client: client.count_workflows('WorkflowType = "BackfillScheduleWorkflow"'))
    assert after.count == count.count
