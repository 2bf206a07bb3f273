"""A ``temporal`` that answers over HTTP as the dev server does, and nothing more."""

# ruff: noqa: T201  # a program: it prints

import http.server
import os
import signal
import socket
import sys
import threading


class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/v1/namespaces/default" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    arguments = sys.argv[1:]
    print("command line", *arguments, flush=True)
    if os.environ.get("FAKE_SERVER") == "broken":
        sys.exit("no such table: everything")
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    listening = socket.create_server(("127.0.0.1", int(arguments[arguments.index("--port") + 1])))
    api = http.server.ThreadingHTTPServer(("127.0.0.1", int(arguments[arguments.index("--http-port") + 1])), Api)
    threading.Thread(target=api.serve_forever, daemon=True).start()
    ended.wait()
    listening.close()


main()
