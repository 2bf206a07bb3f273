import asyncio
import json
import uuid
from importlib.metadata import entry_points

import pytest
from sample_worker.__main__ import SERVICE
from sample_worker._settings import Settings
from temporalio.client import Client
from typer.testing import CliRunner

from trenova_errors import ConfigurationError
from trenova_workers import RoutingOptions, ServiceSettings, run
from trenova_workers._cli_workers import workers_app
from trenova_workers._plugins import client_plugins
from trenova_workers._verbs import check, demo
from trenova_workers.client_plugin import plugin
from trenova_workers.routing import RoutingPlugin

RULES = """
weights: {org_a: 2}
groups: {pair: [QUEUE-1, QUEUE-2]}
rules:
  - {name: large, match: {workflow: Copy*, min_bytes: 100}, target: {queue: QUEUE-large}}
  - {name: pair, match: {workflow: Copy*}, target: {group: pair, priority: low}}
"""


@pytest.fixture
def queue():
    return f"c-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def rules(tmp_path, queue):
    path = tmp_path / "routing.yaml"
    path.write_text(RULES.replace("QUEUE", queue))
    return path


def route(*arguments, **environ):
    return CliRunner().invoke(workers_app(), ["route", *map(str, arguments)], env=environ)


def test_a_route_is_explained_without_a_server(rules, queue):
    told = route("--explain", "CopyShipments", "--organization", "org_a", "--size", 100, "--rules", rules, "--offline")

    assert told.exit_code == 0
    assert told.stdout.splitlines() == [
        f"task queue  {queue}-large",
        "priority    the default (3)",
        "fairness    org_a, weight 2",
        "because",
        "  + rule large: matches; later rules are not looked at",
        "  + queue: the rule's queue",
        "  - priority: the server's default (3): no urgency was said",
        "  + fairness: key 'org_a': the organization; weight 2",
    ]


def test_a_server_that_is_not_there_leaves_waits_unknown(rules):
    told = route("--explain", "CopyX", "--json", TRENOVA_ROUTING__RULES=str(rules), TEMPORAL_ADDRESS="127.0.0.1:1")

    assert told.exit_code == 0
    assert set(json.loads(told.stdout)["waits_s"].values()) == {None}
    assert "No Temporal server at '127.0.0.1:1' lets us in" in told.stderr


def test_live_waits_are_shown_and_decide(rules, queue, fair_server):
    async def put():
        client = await Client.connect(fair_server.address)
        await client.start_workflow("Seen", id=queue, task_queue=f"{queue}-1")

    asyncio.run(put())
    told = route("--explain", "CopyX", "--rules", rules, "--json", TEMPORAL_ADDRESS=fair_server.address)

    assert told.exit_code == 0, told.output
    shown = json.loads(told.stdout)
    assert shown["waits_s"] == {f"{queue}-1": "endless", f"{queue}-2": "endless"}
    assert shown["route"]["rule"] == "pair"
    assert shown["route"]["priority"] == {"priority_key": 4, "fairness_key": None, "fairness_weight": None}


def test_an_urgency_that_the_rules_do_not_know_is_refused(rules):
    told = route("--explain", "X", "--urgency", "now", "--rules", rules, "--offline")
    assert told.exit_code == 2
    assert "none of the rules' urgencies. Known: critical, high, normal, low, bulk." in told.stderr


def test_without_rules_it_says_how_to_name_them():
    told = route("--explain", "X", TRENOVA_ROUTING__RULES="")
    assert told.exit_code == 2
    assert "--rules" in told.stderr


def test_weights_are_shown_applied_and_then_as_they_should_be(rules, queue, fair_server):
    where = {"TEMPORAL_ADDRESS": fair_server.address}
    dry = route("apply", "--dry-run", "--rules", rules, **where)
    done = route("apply", "--rules", rules, **where)
    again = route("apply", "--rules", rules, **where)
    rules.write_text("{}")
    away = route("apply", "--rules", rules, **where)

    assert f"+ {queue}-1 (activity) org_a: 2\n" in dry.stdout
    assert dry.stdout.endswith("6 weights would change.\n")
    assert done.stdout.endswith("6 weights changed.\n")
    assert again.stdout == "Nothing to change.\n"
    assert f"- {queue}-large (workflow) org_a: 2\n" in away.stdout


def test_tools_find_the_plugin_and_get_it_when_rules_are_named(rules):
    [found] = entry_points(group="trenova.client_plugins", name="routing")
    assert found.load() is plugin
    assert plugin({}) is plugin({"TRENOVA_ROUTING__RULES": ""}) is None
    assert isinstance(plugin({"TRENOVA_ROUTING__RULES": str(rules)}), RoutingPlugin)
    with pytest.raises(ConfigurationError, match="do not exist"):
        plugin({"TRENOVA_ROUTING__RULES": "/nowhere.yaml"})


async def test_a_service_routes_its_starts_and_checks_the_rules(server, queue, tmp_path):
    path = tmp_path / "routing.yaml"
    path.write_text(f"default: {{queue: {queue}-moved}}")
    settings = Settings(queue=queue, more_queues=(f"{queue}-moved",), routing=RoutingOptions(rules=path))
    where = {"target_host": server.address, "namespace": "default"}
    stop, events = asyncio.Event(), []
    running = asyncio.create_task(run(SERVICE, settings, connection=where, stop=stop))
    try:
        held = await demo(SERVICE, settings, where, events.append, queue)
        findings = {one.subject: one.ok for one in await check(SERVICE, settings, where)}
    finally:
        stop.set()
        await running

    assert held
    assert findings[f"routing to {queue}-moved"]
    client = await Client.connect(server.address)
    assert (await client.get_workflow_handle(f"demo/{queue}").describe()).task_queue == f"{queue}-moved"


def test_a_service_refuses_rules_that_do_not_hold(tmp_path):
    path = tmp_path / "routing.yaml"
    path.write_text("nonsense: 1")
    settings = ServiceSettings(routing=RoutingOptions(rules=path))
    with pytest.raises(ConfigurationError, match="'nonsense' is 1: this key is not known"):
        client_plugins(SERVICE, settings)
