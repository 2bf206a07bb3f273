"""Who may do what to whose schedules: every operation, role and organization, cell by cell."""

import httpx
import pytest
from api_site import RESOURCES, ROLES, ApiSite, schedule

from trenova_access.testing import Issuer

pytestmark = pytest.mark.integration

OF_ROLE = {"viewer": 0, "operator": 1, "admin": 2}
WRITES = {"If-Match": "*"}
RANGE = {"startAt": "2026-01-01T00:00:00Z", "endAt": "2026-01-02T00:00:00Z", "reason": "r", "policy": "all"}

# name: (least role, method, path, more); {id} is a schedule of the organization acme.
OF_ONE = {
    "get": ("viewer", "GET", "/schedules/{id}", {}),
    "missed": ("viewer", "GET", "/schedules/{id}/missed", {}),
    "fires": ("viewer", "GET", "/schedules/{id}/fires", {}),
    "ticks": ("viewer", "GET", "/schedules/{id}/ticks", {}),
    "slo": ("viewer", "GET", "/schedules/{id}/slo", {}),
    "audit": ("viewer", "GET", "/schedules/{id}/audit", {}),
    "diff": ("viewer", "POST", "/schedules/{id}/fire-diff", {"json": {"cron": "0 5 * * *"}}),
    "backfill preview": ("viewer", "POST", "/schedules/{id}/backfills/preview", {"json": RANGE}),
    "get backfill": ("viewer", "GET", "/schedules/{id}/backfills/absent", {}),
    "pause": ("operator", "POST", "/schedules/{id}/pause", {"json": {"reason": "r"}}),
    "resume": ("operator", "POST", "/schedules/{id}/resume", {"json": {"reason": "r"}}),
    "trigger": ("operator", "POST", "/schedules/{id}/trigger", {"json": {}}),
    "backfill": (
        "operator",
        "POST",
        "/schedules/{id}/backfills",
        {"json": {**RANGE, "digest": "of another plan"}, "headers": {"Idempotency-Key": "k"}},
    ),
    "pause backfill": ("operator", "POST", "/schedules/{id}/backfills/absent/pause", {"json": {"reason": "r"}}),
    "resume backfill": ("operator", "POST", "/schedules/{id}/backfills/absent/resume", {"json": {"reason": "r"}}),
    "cancel backfill": ("operator", "POST", "/schedules/{id}/backfills/absent/cancel", {"json": {"reason": "r"}}),
    "patch": ("admin", "PATCH", "/schedules/{id}", {"json": {"note": "n"}, "headers": WRITES}),
    "delete": ("admin", "DELETE", "/schedules/{id}", {"params": {"reason": "r"}, "headers": {"If-Match": '"0"'}}),
}


@pytest.fixture(scope="module")
def issuer():
    with Issuer() as made:
        yield made


@pytest.fixture(scope="module")
def site(tmp_path_factory, issuer):
    with ApiSite(tmp_path_factory.mktemp("api"), issuer) as opened:
        yield opened


@pytest.fixture(scope="module")
def of_acme(site):
    return site.new(id="acme/one", labels={"organization": "acme", "team": "dispatch"})["id"].replace("/", "%2F")


def permitted(status):
    """Whether the operation was let through, whatever came of it."""
    return status not in {401, 403, 404}


@pytest.mark.parametrize("scope", RESOURCES)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", OF_ONE)
def test_an_operation_on_a_schedule_needs_its_role_there(site, of_acme, name, role, scope):
    least, method, path, more = OF_ONE[name]

    with site.call(f"{role}-{scope}") as api:
        answer = api.request(method, path.format(id=of_acme), **more)

    if scope == "blue":
        assert answer.status_code == 404, "whoever may not look at it is not told that it is there"
        assert "acme/one" in answer.json()["detail"]
    elif OF_ROLE[role] < OF_ROLE[least]:
        assert answer.status_code == 403
    elif "absent" in path:
        assert (answer.status_code, "workflow" in answer.json()["detail"]) == (404, True)
    else:
        assert permitted(answer.status_code), answer.text


@pytest.mark.parametrize("name", OF_ONE)
def test_nobody_gets_in_without_a_role_or_without_signing_in(site, of_acme, name):
    _, method, path, more = OF_ONE[name]

    with site.call("nobody") as api:
        assert api.request(method, path.format(id=of_acme), **more).status_code == 403
    with site.call(None) as api:
        answer = api.request(method, path.format(id=of_acme), **more)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("scope", RESOURCES)
@pytest.mark.parametrize("role", ROLES)
def test_a_schedule_is_created_only_with_labels_on_which_one_is_admin(site, role, scope):
    labels = {"acme": {"organization": "acme"}, "blue": {"organization": "blue"}, "dispatch": {"team": "dispatch"}}
    with site.call(f"{role}-{scope}") as api:
        for whose, label in {**labels, "nobody": {}}.items():
            answer = api.post("/schedules", json=schedule(labels=label))
            assert answer.status_code == (201 if role == "admin" and scope in {"all", whose} else 403), (whose, scope)


@pytest.mark.parametrize("scope", RESOURCES)
@pytest.mark.parametrize("role", ROLES)
def test_lists_and_bulk_actions_reach_only_whose_schedules_they_are(site, role, scope):
    names = {
        "crossed-a": {"organization": "acme"},
        "crossed-b": {"organization": "blue"},
        "crossed-d": {"organization": "blue", "team": "dispatch"},
        "crossed-n": {},
    }
    with site.call() as api:
        for name, labels in names.items():
            if api.get(f"/schedules/{name}").status_code == 404:
                site.new(id=name, labels=labels)
    site.wait_for("crossed-", len(names))
    reached = {
        "all": sorted(names),
        "acme": ["crossed-a"],
        "blue": ["crossed-b", "crossed-d"],
        "dispatch": ["crossed-d"],
    }[scope]

    with site.call(f"{role}-{scope}") as api:
        listed = api.get("/schedules", params={"prefix": "crossed-"}).json()
        assert [one["id"] for one in listed["schedules"]] == reached
        assert listed["total"] == len(reached)
        for action in ("resume", "delete"):
            body = {"action": action, "filter": {"prefix": "crossed-"}, "reason": "r", "dryRun": True}
            answer = api.post("/bulk", json=body)
            if role == "viewer" or (role == "operator" and action == "delete"):
                assert answer.status_code == 403
            else:
                assert [one["scheduleId"] for one in answer.json()["items"]] == reached


@pytest.mark.parametrize("scope", RESOURCES)
@pytest.mark.parametrize("role", ROLES)
def test_the_trail_of_everything_is_for_admins_of_everything(site, role, scope):
    with site.call(f"{role}-{scope}") as api:
        expected = 200 if (role, scope) == ("admin", "all") else 403
        assert api.get("/audit").status_code == expected
        assert api.get("/audit/export").status_code == expected
        for path in ("/slo", "/schedules"):
            assert api.get(path).status_code == 200
        assert api.post("/preview", json={"cron": "0 0 * * *", "limit": 1}).status_code == 200


@pytest.mark.parametrize("path", ["/schedules", "/slo", "/audit", "/audit/export", "/events", "/receipts"])
def test_what_is_about_no_single_schedule_needs_a_role_too(site, path):
    with site.call("nobody") as api:
        assert api.get(path).status_code == 403
    with site.call(None) as api:
        assert api.get(path).status_code == 401


def test_a_receipt_is_undone_only_by_whoever_may_on_each_of_its_schedules(site):
    for name, organization in {"undo-a": "acme", "undo-b": "blue"}.items():
        site.new(id=name, labels={"organization": organization}, paused=False)
    site.wait_for("undo-", 2)
    body = {"action": "pause", "filter": {"prefix": "undo-"}, "reason": "r", "dryRun": False}
    with site.call("operator-all") as api:
        receipt = api.post("/bulk", json=body).json()["receipt"]["id"]

    for caller, status in {"operator-acme": 404, "viewer-all": 403, "operator-all": 200}.items():
        with site.call(caller) as api:
            assert api.post(f"/receipts/{receipt}/undo", json={"reason": "r"}).status_code == status, caller
    with site.call() as api:
        assert not api.get("/schedules/undo-a").json()["paused"]


def test_a_jwt_and_the_cookie_of_the_sign_in_let_in_as_well(site, issuer, of_acme):
    token = issuer.token(permissions=["organization=acme:read"])
    bearer = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=site.url, trust_env=False) as browser:
        assert browser.get(f"/api/v1/schedules/{of_acme}", headers=bearer).status_code == 200
        refused = browser.post(f"/api/v1/schedules/{of_acme}/pause", headers=bearer, json={"reason": "r"})
        assert refused.status_code == 403

        own = {"Origin": site.url}
        link = site.app_access.sign_in.new_link()
        browser.post("/sign-in", data={"token": link}, headers=own)
        assert browser.get(f"/api/v1/schedules/{of_acme}").status_code == 200
        pause = f"/api/v1/schedules/{of_acme}/pause"
        assert browser.post(pause, json={"reason": "r"}, headers={"Origin": "http://evil.example"}).status_code == 403
        assert browser.post(pause, json={"reason": "r"}).status_code == 403
        assert browser.post(pause, json={"reason": "r"}, headers=own).status_code == 200


def test_a_grant_that_is_no_condition_lets_nobody_in():
    from trenova_schedules.server._roles import meets

    labels = {"organization": "acme", "team": "dispatch"}
    assert meets(labels, "*")
    assert meets(labels, "organization=acme,team=dispatch")
    assert not meets(labels, "organization=acme,team=billing")
    for nonsense in ("", "acme", "organization", "=", "organization=", "organization=acme,"):
        assert not meets(labels, nonsense)
        assert not meets({}, nonsense)
