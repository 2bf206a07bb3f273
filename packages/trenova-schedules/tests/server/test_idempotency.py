from concurrent.futures import ThreadPoolExecutor

import pytest
from api_site import schedule

KEY = "Idempotency-Key"


def test_a_trigger_that_is_repeated_under_its_key_starts_one_run(site, api):
    made = site.new()
    path = f"/schedules/{made['id']}/trigger"

    first = api.post(path, json={}, headers={KEY: "one"})
    again = api.post(path, json={}, headers={KEY: "one"})

    assert first.status_code == again.status_code == 200, first.text
    assert first.json() == again.json()
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    assert api.get(f"/schedules/{made['id']}").json()["counts"]["actions"] == 1


def test_a_key_that_is_used_for_another_request_is_refused(site, api):
    made, other = site.new(), site.new()
    api.post(f"/schedules/{made['id']}/trigger", json={}, headers={KEY: "two"})

    for path, body in ((made["id"], {"reason": "other"}), (other["id"], {})):
        answer = api.post(f"/schedules/{path}/trigger", json=body, headers={KEY: "two"})
        assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert api.get(f"/schedules/{made['id']}").json()["counts"]["actions"] == 1
    assert api.get(f"/schedules/{other['id']}").json()["counts"]["actions"] == 0


def test_a_key_of_another_caller_is_another_key(site):
    made = site.new(labels={"organization": "acme"})
    for caller in ("operator-all", "operator-acme"):
        with site.call(caller) as api:
            assert api.post(f"/schedules/{made['id']}/trigger", json={}, headers={KEY: "three"}).status_code == 200
    with site.call() as api:
        assert api.get(f"/schedules/{made['id']}").json()["counts"]["actions"] == 2


def test_ten_at_once_under_one_key_create_once(site):
    body = schedule(id="created-once")

    def create(_):
        with site.call() as api:
            return api.post("/schedules", json=body, headers={KEY: "ten"})

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(create, range(10)))

    assert {one.status_code for one in answers} <= {201, 409}
    assert len([one for one in answers if one.status_code == 201 and "idempotency-replayed" not in one.headers]) == 1
    assert {one.json()["code"] for one in answers if one.status_code == 409} <= {"request.under_way"}
    with site.call() as api:
        again = api.post("/schedules", json=body, headers={KEY: "ten"})
        assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")


def test_what_was_refused_may_be_tried_again_under_the_same_key(site, api):
    made = site.new(cron=None, interval="PT1M")
    path, body = f"/schedules/{made['id']}/resume", {"reason": "go", "catchUp": "last", "confirmed": 7}

    assert api.post(path, json=body, headers={KEY: "four"}).status_code == 409
    assert api.post(path, json={**body, "catchUp": "none"}, headers={KEY: "four"}).status_code == 200


@pytest.mark.parametrize("key", ["", "a b", "x" * 201])
def test_a_key_that_is_none_is_refused(site, api, key):
    made = site.new()

    assert api.post(f"/schedules/{made['id']}/trigger", json={}, headers={KEY: key}).status_code == 422


def test_a_pause_under_a_key_is_told_once(site, api):
    made = site.new(paused=False)
    for _ in range(3):
        answer = api.post(f"/schedules/{made['id']}/pause", json={"reason": "stop"}, headers={KEY: "five"})
        assert answer.json()["changed"] is True
    entries = api.get(f"/schedules/{made['id']}/audit").json()["entries"]
    assert [entry["action"] for entry in entries] == ["pause", "create"]
