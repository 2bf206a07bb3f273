import threading
from datetime import UTC, datetime, timedelta

import pytest
from api_site import schedule

PROBLEM = "application/problem+json"


def test_a_schedule_is_created_read_changed_paused_resumed_triggered_and_deleted(site, api):
    made = site.new(id="orders/nightly", labels={"organization": "acme"}, cron="30 2 * * *", timeZone="Europe/Berlin")
    path = "/schedules/orders%2Fnightly"

    got = api.get(path)
    assert (got.status_code, got.json()["id"], got.json()["cron"]) == (200, "orders/nightly", "30 2 * * *")
    assert got.headers["etag"] == f'"{made["etag"]}"'

    changed = api.patch(path, json={"cron": "45 2 * * *", "note": None}, headers={"If-Match": got.headers["etag"]})
    assert changed.status_code == 200, changed.text
    assert changed.json()["after"]["cron"] == "45 2 * * *"
    assert changed.json()["after"]["timeZone"] == "Europe/Berlin"
    assert changed.headers["etag"] != got.headers["etag"]

    resumed = api.post(f"{path}/resume", json={"reason": "go"})
    assert (resumed.status_code, resumed.json()["after"]["paused"]) == (200, False)
    paused = api.post(f"{path}/pause", json={"reason": "stop"})
    assert "stop" in paused.json()["after"]["note"]
    assert "admin-all" in paused.json()["after"]["note"]
    run = api.post(f"{path}/trigger", json={})
    assert (run.status_code, run.json()["outcome"]) == (200, "started"), run.text

    gone = api.delete(path, params={"reason": "over"})
    assert (gone.status_code, gone.json()["before"]["id"]) == (200, "orders/nightly")
    assert api.get(path).status_code == 404


def test_a_change_without_if_match_is_told_so_and_a_stale_one_gets_the_document_as_it_is(site, api):
    made = site.new()
    path = f"/schedules/{made['id']}"

    bare = api.patch(path, json={"note": "mine"})
    assert (bare.status_code, bare.headers["content-type"]) == (428, PROBLEM)
    theirs = api.patch(path, json={"note": "theirs"}, headers={"If-Match": f'"{made["etag"]}"'})
    assert theirs.status_code == 200

    stale = api.patch(path, json={"note": "mine"}, headers={"If-Match": f'"{made["etag"]}"'})
    assert (stale.status_code, stale.headers["content-type"]) == (412, PROBLEM)
    assert stale.json()["current"]["note"] == "theirs"
    assert stale.headers["etag"] == theirs.headers["etag"]
    assert stale.json()["requestId"] == stale.headers["x-request-id"]
    assert api.delete(path, params={"reason": "x"}, headers={"If-Match": '"0"'}).status_code == 412
    assert api.get(path).json()["note"] == "theirs"


def test_of_ten_writers_on_one_etag_one_wins_and_the_others_are_told_what_is_there(site):
    made = site.new()
    answers = []

    def write(number):
        with site.call() as api:
            headers = {"If-Match": f'"{made["etag"]}"'}
            answers.append(api.patch(f"/schedules/{made['id']}", json={"note": f"by {number}"}, headers=headers))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    won = [one for one in answers if one.status_code == 200]
    assert (len(won), {one.status_code for one in answers}) == (1, {200, 412})
    assert {one.json()["current"]["note"] for one in answers if one.status_code == 412} <= {
        won[0].json()["after"]["note"]
    }


def test_a_list_is_searched_filtered_sorted_and_paged_by_cursors(site, api):
    for number in range(7):
        team = "dispatch" if number % 2 else "billing"
        site.new(id=f"paged-{number}", labels={"team": team}, description="d")
    site.wait_for("paged-", 7)
    query = {"prefix": "paged-", "limit": 3, "descending": True}

    first = api.get("/schedules", params=query).json()
    second = api.get("/schedules", params=query | {"cursor": first["nextCursor"]}).json()
    third = api.get("/schedules", params=query | {"cursor": second["nextCursor"]}).json()
    listed = [one["id"] for page in (first, second, third) for one in page["schedules"]]
    assert listed == [f"paged-{number}" for number in range(6, -1, -1)]
    assert (first["total"], third["nextCursor"]) == (7, None)

    found = api.get("/schedules", params={"prefix": "paged-", "label": "team=dispatch"}).json()["schedules"]
    assert [one["id"] for one in found] == ["paged-1", "paged-3", "paged-5"]
    assert api.get("/schedules", params={"cursor": "nonsense"}).status_code == 422
    assert api.get("/schedules", params={"label": "team"}).status_code == 422


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"cron": "61 0 * * *"}, "Minute is not in range"),
        ({"cron": "*/10 * * * * *"}, "year"),
        ({"cron": "0 0 31 2 *"}, "never fire"),
        ({"timeZone": "Europe/Atlantis"}, "Europe/Atlantis"),
        ({"taskQueue": "nobody-polls-this"}, "nobody-polls-this"),
        ({"startAt": "2031-01-01T00:00:00Z", "endAt": "2030-01-01T00:00:00Z"}, "2030"),
        ({"catchupWindow": 1}, "10"),
        ({"interval": "PT1H"}, "one of cron, interval and calendar"),
        ({"labels": {"a" * 300: "b"}}, "label"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_what_could_not_work_is_refused_in_words_and_nothing_is_created(site, api, wrong, said):
    body = schedule(id="wrong", **wrong)

    answer = api.post("/schedules", json=body)

    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM), answer.text
    assert said in answer.json()["detail"]
    assert api.get("/schedules/wrong").status_code == 404
    made = site.new()
    if patch := {name: value for name, value in wrong.items() if name not in {"labels", "interval"}}:
        refused = api.patch(f"/schedules/{made['id']}", json=patch, headers={"If-Match": "*"})
        assert (refused.status_code, refused.headers["content-type"]) == (422, PROBLEM), refused.text
        assert api.get(f"/schedules/{made['id']}").json()["etag"] == made["etag"]


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ({"start": "2027-02-01T00:00:00Z", "end": "2027-01-01T00:00:00Z"}, "before it begins"),
        ({"start": "2000-01-01T00:00:00Z", "end": "2080-01-01T00:00:00Z"}, "50 years"),
        ({"limit": 1_000_000}, "10000"),
        ({"start": "2027-01-01T00:00:00"}, "timezone"),
        ({"start": "0001-01-01T00:00:00Z"}, "1970"),
        ({"cron": "bad"}, "bad"),
        ({"timeZone": "Nowhere/Land"}, "Nowhere/Land"),
    ],
)
def test_a_preview_of_nonsense_is_refused_in_words(api, window, said):
    answer = api.post("/preview", json={"cron": "* * * * *", **window})

    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM), answer.text
    assert said in answer.json()["detail"]


def test_a_preview_says_when_it_fires_in_three_zones_and_leaves_nothing(site, api):
    body = {"cron": "30 2 * * *", "timeZone": "Europe/Berlin", "viewerZone": "America/New_York"}
    window = {"start": "2027-03-26T00:00:00Z", "end": "2027-03-30T00:00:00Z"}

    told = api.post("/preview", json=body | window).json()
    fires = told["fires"]

    assert [one["at"] for one in fires] == ["2027-03-26T01:30:00Z", "2027-03-27T01:30:00Z", "2027-03-29T00:30:00Z"]
    assert [one["kind"] for one in told["hazards"]] == ["spring_lost"]
    assert fires[0]["local"] == "2027-03-26T02:30:00+01:00"
    assert fires[0]["viewer"] == "2027-03-25T21:30:00-04:00"
    many = api.post("/preview", json={"cron": "* * * * *", "limit": 10}).json()
    assert (len(many["fires"]), many["more"]) == (10, True)
    assert not [one for one in api.get("/schedules").json()["schedules"] if one["id"].startswith("trenova-preview")]


def test_a_change_of_times_is_shown_before_it_is_made(site, api):
    hour = (datetime.now(UTC).hour + 12) % 23  # neither time comes between two looks, nor between both fires of a day
    made = site.new(cron=f"0 {hour} * * *")

    asked = {"cron": f"0 {hour + 1} * * *"}
    told = api.post(f"/schedules/{made['id']}/fire-diff", params={"days": 7}, json=asked)

    assert told.status_code == 200, told.text
    assert (len(told.json()["moved"]), told.json()["added"], told.json()["removed"]) == (7, [], [])
    assert api.get(f"/schedules/{made['id']}").json()["etag"] == made["etag"]


def test_a_resume_shows_what_it_would_catch_up_and_starts_what_was_confirmed(site, api):
    made = site.new(cron=None, interval="PT1M")
    path = f"/schedules/{made['id']}"
    since = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()

    missed = api.get(f"{path}/missed", params={"since": since}).json()["count"]
    assert missed in {5, 6}
    body = {"reason": "go", "catchUp": "all", "since": since}
    assert api.post(f"{path}/resume", json=body | {"confirmed": missed + 50}).status_code == 409
    resumed = api.post(f"{path}/resume", json=body | {"confirmed": missed})

    assert resumed.status_code == 200, resumed.text
    assert resumed.json()["caughtUp"] == missed


def test_every_refusal_has_the_form_of_a_problem_and_an_id(site, api):
    made = site.new()
    answers = [
        (404, api.get("/schedules/absent")),
        (404, api.get("/nowhere")),
        (405, api.put("/schedules")),
        (409, api.post("/schedules", json=schedule(id=made["id"]))),
        (413, api.post("/schedules", content=b"x" * 70_000, headers={"Content-Type": "application/json"})),
        (422, api.post("/schedules", content=b"{", headers={"Content-Type": "application/json"})),
        (400, api.post("/schedules", content=b"[" * 60_000, headers={"Content-Type": "application/json"})),
        (422, api.post(f"/schedules/{made['id']}/pause", json={"reason": ""})),
        (422, api.delete(f"/schedules/{made['id']}")),
        (403, api.get("/schedules", headers={"Host": "evil.example"})),
    ]

    for status, answer in answers:
        problem = answer.json()
        assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
        assert {"type", "title", "status", "detail", "kind", "code"} <= problem.keys()
        assert problem["status"] == status
        assert problem["requestId"] == answer.headers["x-request-id"]
    mine = api.get("/schedules/absent", headers={"X-Request-Id": "mine-1"})
    assert mine.headers["x-request-id"] == mine.json()["requestId"] == "mine-1"
    assert api.get("/health", headers={"X-Request-Id": "two words"}).headers["x-request-id"] != "two words"


@pytest.mark.parametrize(
    "extreme",
    [
        {"interval": "P999999999D", "cron": None},
        {"jitter": "P999999999D"},
        {"catchupWindow": "P999999999D"},
        {"slo": {"maxRunTime": "P999999999D"}},
        {"startAt": "9999-12-31T23:59:59Z"},
        {"note": "\x00"},
        {"workflow": "\x00"},
        {"labels": {"\x00": "\x00"}},
    ],
)
def test_extremes_are_refused_or_work_and_are_no_error_of_the_server(site, api, extreme):
    created = api.post("/schedules", json=schedule(**extreme))
    assert created.status_code in {201, 422}, created.text
    if "slo" not in extreme and "labels" not in extreme:
        patch = {name: value for name, value in extreme.items() if value is not None}
        changed = api.patch(f"/schedules/{site.new()['id']}", json=patch, headers={"If-Match": "*"})
        assert changed.status_code in {200, 422}, changed.text


def test_calendars_are_created_previewed_compared_and_patched(site, api):
    calendar = {"hour": "6-18/4", "minute": "30", "dayOfWeek": "1-5"}
    times = api.post("/preview", json={"calendar": calendar, "timeZone": "Europe/Berlin", "limit": 4})
    assert times.status_code == 200, times.text
    assert [fire["at"][14:16] for fire in times.json()["fires"]] == ["30"] * 4

    made = site.new(cron=None, calendar=calendar, timeZone="Europe/Berlin")
    assert made["calendars"][0]["hour"] == "6-18/4"
    assert made["cron"] is None
    path, change = f"/schedules/{made['id']}", {"calendars": [{"hour": "7"}, {"hour": "19", "dayOfMonth": "1,15"}]}
    differs = api.post(f"{path}/fire-diff", json=change).json()
    assert differs["added"]
    done = api.patch(path, json=change, headers={"If-Match": f'"{made["etag"]}"'})
    assert done.status_code == 200, done.text
    after = done.json()["after"]
    assert sorted(one["hour"] for one in after["calendars"]) == ["19", "7"]
    assert after["timeZone"] == "Europe/Berlin"
    assert api.patch(path, json={"cron": "0 5 * * *"}, headers={"If-Match": "*"}).json()["after"]["cron"] == "0 5 * * *"
    forgotten = api.patch(path, json={"calendars": [{"hour": "6"}]}, headers={"If-Match": "*"}).json()["after"]
    assert forgotten["cron"] is None


@pytest.mark.parametrize(
    ("calendar", "said"),
    [
        ({"hour": "25"}, "hour has '25', which is not within 0 to 23"),
        ({"minute": "5-1"}, "minute has '5-1', which is not within"),
        ({"dayOfWeek": "MON"}, "day_of_week has 'MON'; write numbers"),
        ({"second": "*/0"}, "second has '*/0'"),
        ({"year": "1"}, "year has '1', which is not within"),
        ({"month": ""}, "month has ''"),
    ],
)
def test_a_calendar_that_is_none_is_refused_with_its_field(api, calendar, said):
    for path, body in (
        ("/preview", {"calendar": calendar}),
        (
            "/schedules",
            {"id": "x", "workflow": "Ship", "taskQueue": "orders", "calendar": calendar, "catchupWindow": 60},
        ),
    ):
        answer = api.post(path, json=body)
        assert answer.status_code == 422
        assert said in answer.json()["detail"]
