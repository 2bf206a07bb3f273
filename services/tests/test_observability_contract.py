"""Whether the dashboards and alerts ask for what there is: live workers, scraped by a real Prometheus."""

import json
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from service_processes import Services, end, eventually, free_port
from temporalio.client import WorkflowFailureError

from trenova_activities import CheckDatabasePayload, CheckDatabaseWorkflow, DuplicateShipmentPayload, start_duplicate

ROOM = Path(__file__).parents[1] / "observability"
DOCS = Path(__file__).parents[2] / "docs"
RULES = yaml.safe_load((ROOM / "rules/trenova.yaml").read_text())
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
_NAME = re.compile(r"\b(?:temporal|trenova)_[a-z0-9_]+\b")
_SELECTED = re.compile(r"\b((?:temporal|trenova)_[a-z0-9_]+)\{([^}]*)\}")
_LABEL = re.compile(r"([a-z_]+)\s*(?:=~|!~|!=|=)")
prometheus = pytest.mark.skipif(
    not shutil.which("prometheus"), reason="prometheus is not installed (Debian: prometheus)"
)


def dashboards() -> list[Path]:
    return sorted((ROOM / "dashboards").glob("*.json"))


def queries() -> list[str]:
    """Every query of a panel or a rule."""
    panels = [panel for path in dashboards() for panel in json.loads(path.read_text())["panels"]]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])] + [one["expr"] for one in ALERTS]


class Prometheus:
    """A server of the test's own, told of targets by files."""

    def __init__(self, folder: Path) -> None:
        self.targets = folder / "targets"
        (self.targets / "servers").mkdir(parents=True)
        config = yaml.safe_load((ROOM / "prometheus.yaml").read_text())
        workers = config["scrape_configs"][0] | {"file_sd_configs": [{"files": [f"{self.targets}/*.json"]}]}
        servers = {"job_name": "servers", "file_sd_configs": [{"files": [f"{self.targets}/servers/*.json"]}]}
        own = {
            "global": config["global"] | {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(ROOM / "rules/*.yaml")],
            "scrape_configs": [workers, servers],
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(own))
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = (folder / "prometheus.log").open("wb")
        self.process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={self.url.removeprefix('http://')}",
            ],
            stdout=self.log,
            stderr=self.log,
        )

    def ask(self, path: str, **arguments: str) -> Any:
        with urllib.request.urlopen(
            f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(arguments)}", timeout=10
        ) as said:
            return json.load(said)["data"]

    def names(self) -> set[str]:
        return set(self.ask("label/__name__/values"))

    def labels(self, name: str) -> set[str]:
        return {label for series in self.ask("series", **{"match[]": name}) for label in series}

    def add(self, url: str, name: str) -> None:
        folder = self.targets / "servers" if name == "server" else self.targets
        target = urllib.parse.urlsplit(url).netloc
        (folder / f"{name}.json").write_text(json.dumps([{"targets": [target]}]))

    def close(self) -> None:
        end(self.process)
        self.log.close()


@pytest.fixture
def scraping(tmp_path: Path) -> Iterator[Prometheus]:
    server = Prometheus(tmp_path)
    yield server
    server.close()


@pytest.fixture
def rare(stage: Services, scraping: Prometheus) -> Iterator[None]:
    """What services count rarely, counted once by the instruments and exporters that they have."""
    processes = []
    for kind in ("worker", "server"):
        command = [sys.executable, str(Path(__file__).parent / "rare_metrics.py"), kind, stage.address]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=stage.environ))
        scraping.add(processes[-1].stdout.readline().strip(), kind)
    yield
    for process in processes:
        end(process)
        process.stdout.close()


@prometheus
@pytest.mark.timeout(240)
async def test_every_metric_and_label_of_a_dashboard_or_an_alert_is_one_that_live_workers_have(stage, scraping, rare):
    stage.environ |= {
        "TRENOVA_WORKER__METRICS__EXPORTER": "prometheus",
        "TRENOVA_WORKER__METRICS__TARGETS_DIR": str(scraping.targets),
    }
    modules = ("shipment_worker", "notification_worker", "system_worker")
    stage.prepare(*modules)
    running = [stage.run(module) for module in modules]
    eventually(lambda: all(one.readyz()[0] == 200 for one in running), seconds=90)
    client = await stage.client()
    lost = DuplicateShipmentPayload(
        organization_id="o", business_unit_id="b", user_id="u", idempotency_key="k", shipment_id="none", count=1
    )
    with pytest.raises(WorkflowFailureError):
        await (await start_duplicate(client, lost)).result()
    await client.start_workflow("Unknown", id="unknown", task_queue="shipment-queue")
    await client.execute_workflow(
        CheckDatabaseWorkflow.run, CheckDatabasePayload(), id="check", task_queue="system-queue"
    )

    wanted = {name for query in queries() for name in _NAME.findall(query)}
    try:
        eventually(lambda: wanted <= scraping.names(), seconds=60)
    except TimeoutError:
        pytest.fail(f"no live worker has {sorted(wanted - scraping.names())}")

    selected = [found for query in queries() for found in _SELECTED.findall(query)]
    used = {(name, label) for name, inside in selected for label in _LABEL.findall(inside)}
    known = {name: scraping.labels(name) for name in {name for name, _ in used}}
    assert sorted((name, label) for name, label in used if label not in known[name]) == []
    assert "true" in scraping.ask("label/final/values")
    assert set(scraping.ask("label/final/values")) <= {"false", "true"}
    up = {series["metric"]["service"]: series["value"][1] for series in _up(scraping)}
    assert {"shipment-worker": "1", "notification-worker": "1", "system-worker": "1"}.items() <= up.items()

    running[0].kill()
    eventually(lambda: any(one["labels"]["alertname"] == "TrenovaWorkerDown" for one in _alerts(scraping)))


def _up(scraping: Prometheus) -> list[Any]:
    return scraping.ask("query", query='up{service!=""}')["result"]


def _alerts(scraping: Prometheus) -> list[Any]:
    """Those that are pending or fire."""
    return scraping.ask("alerts")["alerts"]


def test_each_alert_has_a_page_that_says_what_to_do():
    for alert in ALERTS:
        page = DOCS / "runbooks" / f"{alert['alert']}.md"
        assert alert["annotations"]["runbook_url"] == "{{ $externalLabels.docs }}/runbooks/" + alert["alert"] + "/"
        headings = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
        assert headings == ["Meaning", "Impact", "First five minutes", "Diagnosis", "Mitigations", "Verify", "Prevent"]


def test_each_page_is_of_an_alert_or_an_operation_and_is_in_the_contents():
    contents = (DOCS.parent / "mkdocs.yml").read_text()
    for page in (DOCS / "runbooks").glob("*.md"):
        assert f"runbooks/{page.name}" in contents
    named = {path.stem for path in (DOCS / "runbooks").glob("Trenova*.md")}
    assert named == {alert["alert"] for alert in ALERTS}


def test_the_dashboards_are_what_the_panels_say():
    code = "import dashboards as d, json; print(json.dumps({one.name: d.rendered(one) for one in d.DASHBOARDS}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOM, capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == {path.stem: path.read_text() for path in dashboards()}


def test_what_silences_an_alert_and_what_is_silenced_are_alerts_that_have_the_label_in_common():
    queries = {alert["alert"]: alert["expr"] for alert in ALERTS}
    for rule in yaml.safe_load((ROOM / "alertmanager.yaml").read_text())["inhibit_rules"]:
        for name in re.findall(r"Trenova\w+", " ".join(rule["source_matchers"] + rule["target_matchers"])):
            kept = {label for by in re.findall(r"by \(([^)]*)\)", queries[name]) for label in by.split(", ")}
            assert set(rule.get("equal", [])) <= kept, name
