"""A worker without Temporal that speaks the contract of processes; what it does wrong is in FAKE_PLAN."""

# ruff: noqa: T201  # a program: it prints

import http.server
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path


def main(name):
    plan = json.loads(os.environ.get("FAKE_PLAN", "{}")).get(name, {})
    verb = sys.argv[1]
    _note(name, verb, "begins")
    {"config": _config, "prepare": _prepare, "run": _run, "demo": _demo}[verb](name, plan)
    _note(name, verb, "ends")


def _note(name, verb, what):
    with Path(os.environ["FAKE_JOURNAL"]).open("a") as journal:
        journal.write(json.dumps({"name": name, "verb": verb, "what": what, "pid": os.getpid()}) + "\n")


def _config(name, plan):
    if "config_fails" in plan:
        sys.exit(plan["config_fails"])
    shown = {
        "service": name,
        "module": "m",
        "queues": plan.get("queues", [f"{name}-queue"]),
        "demo_order": plan.get("demo_order", 0),
    }
    print(plan.get("config_says") or json.dumps(shown))


def _prepare(name, plan):
    time.sleep(plan.get("prepare_takes", 0))
    if "prepare_fails" in plan:
        sys.exit(plan["prepare_fails"])


def _run(name, plan):
    if plan.get("crashes"):
        sys.exit(3)
    print(f"\x1b[31m{name}\x1b[0m says\x1b]0;title\x07 hello", file=sys.stderr)
    print("x" * plan.get("long_line", 0))
    print(
        "environ",
        json.dumps({k: v for k, v in os.environ.items() if k.startswith(("TEMPORAL_", "TRENOVA_"))}),
    )
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    begun = time.monotonic()

    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            ready = time.monotonic() - begun > plan.get("ready_after", 0)
            queues = dict.fromkeys(plan.get("queues", [f"{name}-queue"]), "polling")
            body = json.dumps({"queues": queues, "reason": "" if ready else "not polling yet"}).encode()
            self.send_response(200 if ready else 503)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["TRENOVA_HEALTH__PORT"])), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stopping.wait()
    _note(name, "run", "drains")
    time.sleep(plan.get("drain_takes", 0))


def _demo(name, plan):
    assert sys.argv[2] == "--token"
    assert sys.argv[4] == "--json"
    print("a library prints [bold]this[/bold]")
    for done in range(plan.get("items", 100) + 1):
        _event(event="progress", label="items", done=done, total=plan.get("items", 100))
    time.sleep(plan.get("demo_takes", 0))
    checks = plan.get("checks", [{"name": f"{name} copies", "expected": 50, "actual": 50, "ok": True}])
    for check in checks:
        _event(event="check", **check)
    _event(event="summary", text=f"{name} made 50 copies")
    if "demo_exits" in plan:
        _note(name, "demo", "fails")
        sys.exit(plan["demo_exits"])
    if not all(check["ok"] for check in checks):
        sys.exit(1)


def _event(**event):
    print(json.dumps(event), flush=True)
