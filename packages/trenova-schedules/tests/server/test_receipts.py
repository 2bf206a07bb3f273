"""What bulk actions changed: listed, read, tried and undone, by whoever may."""

import pytest
from api_site import schedule

pytestmark = pytest.mark.integration

ORGANIZATIONS = {"kept-a": "acme", "kept-b": "blue", "kept-c": "acme"}


def pause(api, *ids, reason="Move"):
    body = {"action": "pause", "filter": {"ids": ids}, "reason": reason, "dryRun": False}
    answer = api.post("/bulk", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["receipt"]["id"]


@pytest.fixture(scope="module")
def kept(site):
    """Three receipts, the oldest first: of acme and blue, of blue alone, of acme alone."""
    for name, organization in ORGANIZATIONS.items():
        site.new(id=name, labels={"organization": organization}, paused=False)
    found = []
    with site.call("operator-all") as api:
        for ids in (("kept-a", "kept-b"), ("kept-b",), ("kept-c",)):
            for name in ids:
                api.post(f"/schedules/{name}/resume", json={"reason": "again"})
            found.append(pause(api, *ids, reason=" and ".join(ids)))
    return found


def ids(answer):
    assert answer.status_code == 200, answer.text
    return {one["id"]: one["scheduleIds"] for one in answer.json()["receipts"]}


def test_receipts_are_listed_in_pages_and_found_by_what_they_are_about(site, api, kept):
    first = api.get("/receipts", params={"limit": 2}).json()
    rest = api.get("/receipts", params={"limit": 2, "cursor": first["nextCursor"]}).json()

    assert {one["id"] for one in first["receipts"] + rest["receipts"]} == set(kept)
    assert rest["nextCursor"] is None
    assert list(ids(api.get("/receipts", params={"scheduleId": "kept-a"}))) == kept[:1]
    assert ids(api.get("/receipts", params={"actor": "nobody"})) == {}
    assert ids(api.get("/receipts", params={"action": "update"})) == {}
    assert set(ids(api.get("/receipts", params={"undone": "false", "action": "pause"}))) == set(kept)
    assert api.get("/receipts", params={"action": "dance"}).status_code == 422
    refused = api.get("/receipts", params={"cursor": "dance"})
    assert (refused.status_code, "is no cursor" in refused.json()["detail"]) == (422, True)


def test_of_a_receipt_everybody_sees_the_schedules_that_they_may_look_at(site, kept):
    with site.call("viewer-acme") as acme:
        assert ids(acme.get("/receipts")) == {kept[0]: ["kept-a"], kept[2]: ["kept-c"]}
        assert ids(acme.get("/receipts", params={"scheduleId": "kept-b"})) == {}
        assert ids(acme.get("/receipts", params={"limit": 1}))
        assert [one["scheduleId"] for one in acme.get(f"/receipts/{kept[0]}").json()["items"]] == ["kept-a"]
        assert acme.get(f"/receipts/{kept[1]}").status_code == 404
        assert acme.get("/receipts/nope").status_code == 404
    with site.call("viewer-all") as viewer:
        found = viewer.get(f"/receipts/{kept[0]}").json()
    assert (found["actor"], found["reason"]) == ("operator-all", "kept-a and kept-b")
    assert found["items"][0]["before"] == {"paused": False, "note": ""}
    with site.call("nobody") as nobody:
        assert nobody.get("/receipts").status_code == nobody.get(f"/receipts/{kept[0]}").status_code == 403


def test_an_undo_is_tried_first_and_then_done(site, api, kept):
    api.patch("/schedules/kept-b", json={"note": "mine"}, headers={"If-Match": "*"})
    path = f"/receipts/{kept[0]}/undo"

    plan = api.post(path, json={"reason": "moved", "dryRun": True}).json()

    assert plan["dryRun"] is True
    assert {one["scheduleId"]: one["outcome"] for one in plan["items"]} == {"kept-a": "planned", "kept-b": "conflict"}
    assert api.get("/schedules/kept-a").json()["paused"]
    with site.call("operator-acme") as acme:
        assert acme.post(path, json={"reason": "moved", "dryRun": True}).status_code == 404
    done = api.post(path, json={"reason": "moved"}).json()
    assert {one["scheduleId"]: one["outcome"] for one in done["items"]} == {"kept-a": "done", "kept-b": "conflict"}
    assert set(ids(api.get("/receipts", params={"undone": "true"}))) == {kept[0]}
    assert api.get(f"/receipts/{kept[0]}").json()["undoneBy"] == "admin-all"
    assert api.post(path, json={"reason": "moved", "dryRun": True}).status_code == 409


def test_what_was_changed_since_the_dry_run_is_a_conflict(site, api):
    names = [site.new(paused=False)["id"] for _ in range(2)]
    body = {"action": "pause", "filter": {"ids": names}, "reason": "Move"}
    plan = api.post("/bulk", json=body).json()
    api.patch(f"/schedules/{names[1]}", json={"note": "mine"}, headers={"If-Match": "*"})

    etags = {one["scheduleId"]: one["etag"] for one in plan["items"]}
    done = api.post("/bulk", json={**body, "dryRun": False, "etags": etags}).json()

    assert {one["scheduleId"]: one["outcome"] for one in done["items"]} == {names[0]: "done", names[1]: "conflict"}
    assert not api.get(f"/schedules/{names[1]}").json()["paused"]
    assert api.post("/bulk", json={**body, "etags": {names[0]: ""}}).status_code == 422


def test_without_a_database_there_are_no_receipts(site):
    from trenova_schedules.server import create_app

    with site.also(lambda: create_app(site.options, site.client), "admin-all") as api:
        assert api.get("/api/v1/receipts").status_code == 404
        made = api.post("/api/v1/schedules", json=schedule(paused=False)).json()["after"]
        body = {"action": "pause", "filter": {"ids": [made["id"]]}, "reason": "r", "dryRun": False}
        assert api.post("/api/v1/bulk", json=body).json()["receipt"]["items"], "the answer is all there is of it"
