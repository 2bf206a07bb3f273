"""A Prometheus, an Alertmanager and whoever is called by it, all of the drill's own."""

import json
import subprocess
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from scaled import ROOM, SCRAPE_S, alertmanager, rules
from service_processes import end, eventually, free_port


class Pager:
    """Keeps what Alertmanager sends: ``(receiver, alert, status)``."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        pager = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                pager.calls += [(self.path.strip("/"), alert) for alert in body["alerts"]]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing of it on the terminal."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def last(self, alert: str) -> tuple[str, dict[str, Any]]:
        """What was said last of an alert; of one that was never told, nothing."""
        return next((call for call in reversed(self.calls) if call[1]["labels"]["alertname"] == alert), ("", {}))

    def status(self, alert: str) -> str | None:
        """``firing`` or ``resolved``, as it was told last; None while nobody was told."""
        return self.last(alert)[1].get("status")

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Watch:
    """Scrapes what has put a file into ``targets``, evaluates our rules and calls the pager."""

    def __init__(self, folder: Path, factor: int) -> None:
        self.pager = Pager()
        self.targets = folder / "targets"
        (self.targets / "servers").mkdir(parents=True)
        self.url = f"http://127.0.0.1:{free_port()}"
        manager = f"127.0.0.1:{free_port()}"
        self.manager = f"http://{manager}"
        config = yaml.safe_load((ROOM / "prometheus.yaml").read_text())
        workers = config["scrape_configs"][0] | {"file_sd_configs": [self._files("*.json")]}
        self._token = folder / "token"
        signed_in = {"authorization": {"credentials_file": str(self._token)}}
        found = {"file_sd_configs": [self._files("servers/*.json")]}
        servers = {"job_name": "trenova-servers", **signed_in, **found}
        often = {"scrape_interval": f"{SCRAPE_S}s", "evaluation_interval": f"{SCRAPE_S}s"}
        (folder / "rules.yaml").write_text(yaml.safe_dump(rules(factor)))
        (folder / "alertmanager.yaml").write_text(yaml.safe_dump(alertmanager(self.pager.url)))
        own = {
            "global": config["global"] | often,
            "rule_files": [str(folder / "rules.yaml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [manager]}]}]},
            "scrape_configs": [workers, servers],
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(own))
        prometheus = f"--config.file={folder}/prometheus.yaml --storage.tsdb.path={folder}/metrics"
        alerts = f"--config.file={folder}/alertmanager.yaml --storage.path={folder}/alerts --cluster.listen-address="
        listens = self.url.removeprefix("http://")
        self._log = (folder / "watch.log").open("wb")
        self._processes = [
            self._start("prometheus", *prometheus.split(), f"--web.listen-address={listens}"),
            self._start("prometheus-alertmanager", *alerts.split(), f"--web.listen-address={manager}"),
        ]
        try:
            eventually(self._ready, seconds=60)
        except BaseException:
            self.close()
            raise

    def _files(self, pattern: str) -> dict[str, Any]:
        return {"files": [f"{self.targets}/{pattern}"], "refresh_interval": "1s"}

    def _start(self, *command: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, stdout=self._log, stderr=self._log)

    def _ready(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/-/ready", timeout=5).close()
        except OSError:
            return False
        return True

    def add(self, name: str, url: str, *, token: str) -> None:
        """Scrape a web server of ours, beside the workers, which tell by themselves."""
        target = urllib.parse.urlsplit(url).netloc
        self._token.write_text(token)
        (self.targets / f"servers/{name}.json").write_text(json.dumps([{"targets": [target]}]))

    def remove(self, name: str) -> None:
        """Scrape it no more."""
        (self.targets / f"servers/{name}.json").unlink()

    def state(self, alert: str) -> str:
        """What Prometheus says of an alert: ``firing``, ``pending`` or ``inactive``."""
        with urllib.request.urlopen(f"{self.url}/api/v1/alerts", timeout=10) as said:
            states = {one["state"] for one in json.load(said)["data"]["alerts"] if one["labels"]["alertname"] == alert}
        return next((state for state in ("firing", "pending") if state in states), "inactive")

    def suppressed(self, alert: str) -> bool:
        """Whether Alertmanager has the alert and tells nobody, for what rings already."""
        with urllib.request.urlopen(f"{self.manager}/api/v2/alerts?active=false", timeout=10) as said:
            return any(one["labels"]["alertname"] == alert for one in json.load(said))

    def value(self, query: str) -> float | None:
        """The first value of a query, for whoever waits for something else than an alert."""
        asked = urllib.parse.urlencode({"query": query})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{asked}", timeout=10) as said:
            found = json.load(said)["data"]["result"]
        return float(found[0]["value"][1]) if found else None

    def close(self) -> None:
        for process in self._processes:
            end(process)
        self._log.close()
        self.pager.close()
