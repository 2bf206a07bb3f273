import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from trenova_access import AccessOptions, ApiTokenOptions, Grant, LimitOptions, new_api_token
from trenova_errors import ConfigurationError
from trenova_workers.pool import PoolsOptions, PoolWorker, WorkerPhase
from trenova_workers.pool.server import PoolServerOptions, RateOptions, create_app, require_safe, serving
from trenova_workers.pool.store import DrainOrder, KeptDecision, PoolPhase, PoolState, PoolStore, PoolStoreOptions

POOLS = ("dispatch", "billing")


class Callers:
    """An API in memory, and a client for each role."""

    def __init__(self, store, **options):
        self.tokens, entries = {}, []
        for name, grants in {
            "viewer": [("*", "viewer")],
            "operator": [("*", "operator")],
            "admin": [("*", "admin")],
            "billing": [("billing", "operator")],
            "console": [("*", "operator"), ("*", "delegate")],
            "nobody": [],
        }.items():
            token, digest = new_api_token()
            self.tokens[name] = token
            held = tuple(Grant(resource=resource, role=role) for resource, role in grants)
            entries.append(ApiTokenOptions(sha256=digest, subject=name, grants=held))
        access = AccessOptions(api_tokens=tuple(entries), limits=LimitOptions(max_body=4096, timeout_s=10))
        self.app = create_app(PoolServerOptions(access=access, **options), store, scope="here", pools=POOLS)

    def as_(self, name=None):
        headers = {"Authorization": f"Bearer {self.tokens[name]}"} if name else {}
        transport = httpx.ASGITransport(app=self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1", headers=headers)


@pytest.fixture
async def store(tmp_path):
    async with PoolStore.open(PoolStoreOptions(url=f"sqlite:///{tmp_path}/pools.db")) as opened:
        await opened.migrate()
        lease = opened.lease = await opened.leases.take("here", "pool-manager@host:1#abcdef12")
        for pool in POOLS:
            worker = PoolWorker(
                id=f"{pool}-1", pool=pool, phase=WorkerPhase.RUNNING, started_at=datetime.now(UTC), build="7"
            )
            state = PoolState(
                pool=pool,
                phase=PoolPhase.STEADY,
                why="Load is low.",
                desired=1,
                written=1,
                counts={"running": 1},
                build="7",
                workers=(worker.model_dump(mode="json", by_alias=True),),
            )
            await opened.states.keep(lease, state)
            await opened.workers.add(
                lease, worker_id=f"{pool}-1", pool=pool, host="host", pid=1, born="b", build="7", port=1
            )
            for n in range(5):
                kept = KeptDecision(
                    pool=pool, action="up", before=n, desired=n + 1, why=f"reason {n}", document={"n": n}
                )
                await opened.decisions.keep(lease, kept)
        yield opened


@pytest.fixture
def callers(store):
    return Callers(store)


def in_an_hour():
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


async def test_pools_workers_and_decisions_are_told_to_viewers(callers):
    async with callers.as_("viewer") as api:
        told = (await api.get("/pools")).json()
        assert told["manager"] == {
            "scope": "here",
            "holder": "pool-manager@host:1#abcdef12",
            "fence": 1,
            "acting": True,
        }
        assert [(pool["name"], pool["phase"], pool["managed"]) for pool in told["pools"]] == [
            ("dispatch", "steady", True),
            ("billing", "steady", True),
        ]
        assert (await api.get("/pools/billing")).json()["counts"] == {"running": 1}
        assert {one["id"] for one in (await api.get("/workers")).json()["workers"]} == {"dispatch-1", "billing-1"}
        page = (await api.get("/pools/billing/decisions", params={"limit": 3})).json()
        assert [one["why"] for one in page["decisions"]] == ["reason 4", "reason 3", "reason 2"]
        rest = (await api.get("/pools/billing/decisions", params={"cursor": page["nextCursor"]})).json()
        assert [one["why"] for one in rest["decisions"]] == ["reason 1", "reason 0"]
        assert rest["nextCursor"] is None
        assert (await api.get("/pools")).headers["cache-control"] == "no-store"


async def test_who_may_do_what(callers):
    override = {"count": 3, "until": in_an_hour(), "reason": "rush"}
    asked = [
        ("GET", "/pools", None),
        ("GET", "/pools/billing/decisions", None),
        ("POST", "/pools/dispatch/override", override),
        ("POST", "/pools/billing/pause", {"reason": "x"}),
        ("POST", "/workers/dispatch-1/drain", {"reason": "x"}),
        ("GET", "/audit", None),
    ]
    expected = {
        None: [401, 401, 401, 401, 401, 401],
        "nobody": [403, 403, 403, 403, 403, 403],
        "viewer": [200, 200, 403, 403, 403, 403],
        "billing": [200, 200, 404, 200, 404, 403],
        "operator": [200, 200, 200, 200, 202, 403],
        "admin": [200, 200, 200, 200, 202, 200],
    }
    for name, statuses in expected.items():
        async with callers.as_(name) as api:
            found = [(await api.request(method, path, json=body)) for method, path, body in asked]
            assert (name, [one.status_code for one in found]) == (name, statuses)
            for one in found:
                if one.status_code >= 400:
                    assert one.headers["content-type"] == "application/problem+json"
                    assert {"title", "status", "detail", "code"} <= set(one.json())


async def test_a_caller_of_one_pool_sees_no_other(callers):
    async with callers.as_("billing") as api:
        assert [pool["name"] for pool in (await api.get("/pools")).json()["pools"]] == ["billing"]
        assert [one["id"] for one in (await api.get("/workers")).json()["workers"]] == ["billing-1"]
        assert (await api.get("/pools/dispatch")).status_code == 404


async def test_an_override_holds_until_its_end_and_each_order_is_in_the_audit_trail(callers, store):
    until = (datetime.now(UTC) + timedelta(seconds=1.5)).isoformat()
    async with callers.as_("operator") as api:
        body = {"count": 4, "until": until, "reason": "end of quarter"}
        told = (await api.post("/pools/billing/override", json=body, headers={"X-Request-Id": "r-1"})).json()
        assert (told["orders"]["override"]["count"], told["orders"]["override"]["by"]) == (4, "operator")
        assert (await store.orders.find("here", "billing")).override.count == 4
        await asyncio.sleep(1.6)
        assert (await api.get("/pools/billing")).json()["orders"]["override"] is None
        late = await api.post("/pools/billing/override", json=body)
        assert late.status_code == 422
        assert "Choose a later time" in late.json()["detail"]
        await api.post("/pools/billing/pause", json={"reason": "audit"})
        assert (await api.get("/pools/billing")).json()["orders"]["pause"]["reason"] == "audit"
        await api.post("/pools/billing/resume", json={"reason": "done"})
        assert (await api.get("/pools/billing")).json()["orders"]["pause"] is None
        assert (await api.post("/workers/billing-1/drain", json={"reason": "leaks"})).status_code == 202
    order = DrainOrder(by="operator", reason="leaks", in_turn=False)
    assert await store.drains.find("here", "billing") == {"billing-1": order}
    async with callers.as_("admin") as api:
        entries = (await api.get("/audit")).json()["entries"]
    told = [(one["action"], one["actor"], one["reason"], one["source"]) for one in entries]
    assert told == [
        ("order-drain", "operator", "leaks", "rest"),
        ("resume", "operator", "done", "rest"),
        ("pause", "operator", "audit", "rest"),
        ("override", "operator", "end of quarter", "rest"),
    ]
    assert entries[-1]["requestId"] == "r-1"


async def test_what_does_not_hold_is_refused_with_where_it_is(callers):
    async with callers.as_("operator") as api:
        wrong = await api.post("/pools/billing/override", json={"count": -1, "until": "soon", "reason": " "})
        assert wrong.status_code == 422
        assert {one["pointer"] for one in wrong.json()["errors"]} == {"body/count", "body/until", "body/reason"}
        assert (await api.get("/pools/none")).status_code == 404
        assert (await api.post("/workers/none/drain", json={"reason": "x"})).status_code == 404
        assert (await api.post("/pools/billing/pause", json={"reason": "x" * 5000})).status_code == 413


@pytest.mark.parametrize("body", [b"[" * 4000, b'{"reason":' * 400, b'{"count": ' + b"9" * 4000 + b"}"])
async def test_json_that_is_deep_or_has_a_number_without_end_is_the_caller_s_fault(callers, body):
    async with callers.as_("operator") as api:
        answer = await api.post("/pools/billing/pause", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_whoever_asks_too_often_is_told_when_to_come_back(store):
    callers = Callers(store, rates=RateOptions(reads=2, writes=1, per_s=60))
    async with callers.as_("viewer") as api:
        statuses = [(await api.get("/pools")).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert int((await api.get("/pools")).headers["retry-after"]) > 0
    async with callers.as_("operator") as api:
        assert (await api.get("/pools")).status_code == 200


async def test_the_description_names_every_operation_and_how_to_sign_in(callers):
    async with callers.as_("viewer") as api:
        told = (await api.get("/openapi.json")).json()
    operations = {one["operationId"] for path in told["paths"].values() for one in path.values()}
    assert operations == {
        *("health", "ready", "listPools", "showPool", "showHistory", "listDecisions", "listWorkers", "listAudit"),
        *("overridePool", "pausePool", "resumePool", "drainPool", "drainWorker"),
    }
    assert told["paths"]["/api/v1/pools"]["get"]["security"]
    assert "application/problem+json" in told["paths"]["/api/v1/pools"]["get"]["responses"]["403"]["content"]


def options(folder, **server):
    return PoolsOptions.model_validate(
        {
            "scope": "here",
            "data_dir": folder,
            "server": {"port": 0, **server},
            "pools": {"billing": {"process": {"module": "x"}}},
        }
    )


async def test_it_is_served_on_loopback_with_a_key_for_programs(store, tmp_path):
    said = []
    async with serving(options(tmp_path), store, say=said.append) as url:
        left = httpx.Response(200, content=(tmp_path / "pools-server.json").read_bytes()).json()
        assert left["url"] == url
        async with httpx.AsyncClient(base_url=url, trust_env=False) as api:
            assert (await api.get("/readyz")).status_code == 200
            assert (await api.get("/api/v1/pools")).status_code == 401
            key = {"Authorization": f"Bearer {left['key']}"}
            assert (await api.get("/api/v1/pools", headers=key)).status_code == 200
    assert not (tmp_path / "pools-server.json").exists()
    assert any("the bearer token `key` in" in line for line in said)
    assert not any("sign in" in line for line in said), "there is no page to sign in to"


def test_it_refuses_to_be_reached_by_others_without_a_sign_in(tmp_path):
    with pytest.raises(ConfigurationError, match="lets other machines in"):
        require_safe(options(tmp_path, host="0.0.0.0"))
    with pytest.raises(ConfigurationError, match="no_sign_in lets everybody"):
        require_safe(options(tmp_path, host="0.0.0.0", no_sign_in=True))
    with pytest.raises(ConfigurationError, match=r"server\.prot"):
        require_safe(options(tmp_path, prot=1))
    assert require_safe(options(tmp_path)).host == "127.0.0.1"


def test_a_role_that_there_is_not_is_refused(tmp_path):
    grants = [{"resource": "*", "role": "emperor"}]
    with pytest.raises(ConfigurationError, match="emperor"):
        require_safe(options(tmp_path, access={"sign_in": {"cookie": "x", "grants": grants}}))


async def test_the_past_of_a_pool_is_told_in_parts(callers, store):
    for backlog, running in ((3.0, 2), (40.0, 2), (None, None)):
        seen = {"observation": {"backlog": backlog, "workers": None if running is None else {"running": running}}}
        kept = KeptDecision(pool="billing", action="up", before=5, desired=6, why="more", document=seen)
        await store.decisions.keep(store.lease, kept)
    async with callers.as_("viewer") as api:
        told = (await api.get("/pools/billing/history", params={"hours": 1, "parts": 1})).json()
        assert told["partS"] == 3600
        [point] = told["points"]
        assert (point["workers"], point["desired"], point["backlog"]) == (2, 6, 40.0)
        assert (await api.get("/pools/billing/history", params={"hours": 1000})).status_code == 422
    async with callers.as_("billing") as api:
        assert (await api.get("/pools/dispatch/history")).status_code == 404


async def test_a_program_that_may_orders_in_the_name_of_a_person_and_the_trail_has_both(callers):
    name = {"On-Behalf-Of": "Zo%C3%AB%20O%27Neil"}
    override = {"count": 3, "until": in_an_hour(), "reason": "rush"}
    async with callers.as_("console") as api:
        told = (await api.post("/pools/billing/override", json=override, headers=name)).json()
        assert told["orders"]["override"]["by"] == "Zoë O'Neil"
        assert (await api.post("/pools/billing/pause", json={"reason": "moving"}, headers=name)).is_success
        assert (await api.post("/pools/billing/resume", json={"reason": "alone"})).is_success
        for wrong in ("", "%0A", "x" * 181, "%20"):
            answer = await api.post("/pools/billing/pause", json={"reason": "x"}, headers={"On-Behalf-Of": wrong})
            assert answer.status_code == 422, wrong
            assert "On-Behalf-Of" in answer.json()["detail"]
    async with callers.as_("admin") as api:
        entries = (await api.get("/audit", params={"limit": 3})).json()["entries"]
        assert [(one["action"], one["actor"], (one["detail"] or {}).get("through")) for one in entries] == [
            ("resume", "console", None),
            ("pause", "Zoë O'Neil", "console"),
            ("override", "Zoë O'Neil", "console"),
        ]


async def test_nobody_else_orders_in_the_name_of_a_person(callers):
    async with callers.as_("admin") as api:
        answer = await api.post("/pools/billing/pause", json={"reason": "x"}, headers={"On-Behalf-Of": "Ada"})
        assert answer.status_code == 403
        assert "delegate" in answer.json()["detail"]
        assert (await api.get("/pools/billing")).json()["orders"]["pause"] is None


async def test_all_workers_of_a_pool_are_drained_in_turn(callers, store):
    async with callers.as_("billing") as api:
        told = await api.post("/pools/billing/drain", json={"reason": "a new certificate"})
        assert (told.status_code, told.json()["name"]) == (202, "billing")
        assert (await api.post("/pools/dispatch/drain", json={"reason": "x"})).status_code == 404
    order = DrainOrder(by="billing", reason="a new certificate", in_turn=True)
    assert await store.drains.find("here", "billing") == {"billing-1": order}
    assert await store.drains.find("here", "dispatch") == {}
    entry = (await store.audit.read("here", pool="billing")).entries[0]
    assert (entry.action, entry.actor, entry.detail) == ("order-drain", "billing", {"workers": 1})


async def test_the_same_key_twice_is_one_order_and_one_answer(callers, store):
    body, key = {"reason": "audit"}, {"Idempotency-Key": "k-1"}
    async with callers.as_("operator") as api, callers.as_("admin") as other:
        first = await api.post("/pools/billing/pause", json=body, headers=key)
        await api.post("/pools/billing/resume", json={"reason": "done"})
        again = await api.post("/pools/billing/pause", json=body, headers=key)
        assert (first.status_code, again.status_code) == (200, 200)
        assert again.json() == first.json()
        assert again.headers["idempotency-replayed"] == "true"
        assert (await api.get("/pools/billing")).json()["orders"]["pause"] is None, "nothing was done again"
        changed = await api.post("/pools/billing/pause", json={"reason": "other"}, headers=key)
        assert (changed.status_code, changed.json()["code"]) == (409, "conflict")
        assert (await other.post("/pools/billing/pause", json={"reason": "own"}, headers=key)).status_code == 200


async def test_a_key_is_given_back_where_nothing_was_done(callers):
    key = {"Idempotency-Key": "k-2"}
    past = {"count": 4, "until": "2020-01-01T00:00:00Z", "reason": "x"}
    async with callers.as_("operator") as api:
        assert (await api.post("/pools/billing/override", json=past, headers=key)).status_code == 422
        good = {**past, "until": in_an_hour()}
        assert (await api.post("/pools/billing/override", json=good, headers=key)).status_code == 200


async def test_a_key_whose_first_request_has_no_answer_is_under_way(callers, store):
    async with callers.as_("operator") as api:
        body = {"reason": "x"}
        await api.post("/pools/billing/pause", json=body, headers={"Idempotency-Key": "k-3"})
        table = store._engine.tables.keys
        async with store._engine.write() as connection:
            await connection.execute(table.update().values(response=None))
        late = await api.post("/pools/billing/pause", json=body, headers={"Idempotency-Key": "k-3"})
        assert (late.status_code, late.json()["code"]) == (409, "request.under_way")
        bad = await api.post("/pools/billing/pause", json=body, headers={"Idempotency-Key": "a b"})
        assert bad.status_code == 422
