"""A web console that speaks the contract of consoles and nothing more; what it does wrong is in FAKE_PLAN."""

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
    _note(name, "begins")
    if plan.get("crashes"):
        sys.exit(3)
    told = {key: value for key, value in os.environ.items() if key.startswith(("TRENOVA_", "TEMPORAL_"))}
    print("console environ", json.dumps(told), flush=True)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    begun = time.monotonic()

    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            ready = time.monotonic() - begun > plan.get("ready_after", 0)
            self.send_response(200 if ready else 503)
            self.end_headers()
            self.wfile.write(json.dumps({"reason": "" if ready else "no keys"}).encode())

        def log_message(self, *_):
            pass

    port = int(os.environ["TRENOVA_CONSOLE__PORT"])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Ready)
    file = Path(os.environ["TRENOVA_CONSOLE__FILE"])
    file.parent.mkdir(exist_ok=True)
    if plan.get("leaves", True):
        url = f"http://127.0.0.1:{port}"
        file.write_text(json.dumps({"url": url, "sign_in": f"{url}/sign-in#{os.getpid()}"}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stopping.wait()
    _note(name, "ends")


def _note(name, what):
    with Path(os.environ["FAKE_JOURNAL"]).open("a") as journal:
        journal.write(json.dumps({"name": name, "verb": "console", "what": what, "pid": os.getpid()}) + "\n")
