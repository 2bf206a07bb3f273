"""Prometheus and Alertmanager with the very files that compose.yaml mounts, and names that lead to this machine."""
# ruff: noqa: INP001, S603 (a part of start.py; it runs what Debian's packages have)

import json
import shutil
import socket
import struct
import subprocess
import threading
import urllib.request
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml
from steps import expect, timed, wait_until

PROGRAMS = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}
_SEEN_S = 120
_DNS = ("127.0.0.1", 53)
_A, _OK, _NO_SUCH_NAME = 1, 0x8180, 0x8183


def installed() -> bool:
    """Whether both are on this machine."""
    return all(shutil.which(program) for program in PROGRAMS.values())


def watched(
    compose: Mapping[str, Any], secrets: Path, folder: Path, names: Collection[str], up: Mapping[str, int]
) -> None:
    """Start both and see that rules are loaded, every target answers, and Prometheus has found Alertmanager.

    Args:
        compose: As ``docker compose config`` prints it.
        secrets: Folder of the secrets.
        folder: For what both keep.
        names: Services that there are here; DNS knows no other.
        up: How many targets of each job are to answer.
    """
    with ExitStack() as stack:
        stack.enter_context(_names(names))
        for name in PROGRAMS:
            stack.enter_context(_running(name, compose, secrets, folder))
        for name in PROGRAMS:
            test = compose["services"][name]["healthcheck"]["test"][1:]
            with timed(f"{name} is healthy in the eyes of compose.yaml"):
                wait_until(
                    _SEEN_S, lambda test=test: not subprocess.run(test, check=False, capture_output=True).returncode
                )
        with timed(f"Prometheus sees {', '.join(f'{count} of {job}' for job, count in up.items())}"):
            wait_until(_SEEN_S, lambda: _healthy() == up)
        rules = yaml.safe_load(Path(compose["configs"]["rules"]["file"]).read_text())
        loaded = [rule["health"] for group in _asked("rules")["groups"] for rule in group["rules"]]
        expect("rules loaded", len(loaded), sum(len(group["rules"]) for group in rules["groups"]))
        expect("rules in error", [health for health in loaded if health == "err"], [])
        managers = [one["url"] for one in _asked("alertmanagers")["activeAlertmanagers"]]
        expect("Alertmanagers", managers, ["http://alertmanager:9093/api/v2/alerts"])


def _healthy() -> dict[str, int]:
    """Targets that answer, by job; with those that do not the number is another."""
    targets = _asked("targets")["activeTargets"]
    return dict(Counter(one["labels"]["job"] for one in targets if one["health"] == "up"))


def _asked(what: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:9090/api/v1/{what}", timeout=10) as answer:
        return json.load(answer)["data"]


@contextmanager
def _running(name: str, compose: Mapping[str, Any], secrets: Path, folder: Path) -> Iterator[None]:
    """Run one in mounts of its own: the secrets where its container has them, and our DNS."""
    service = compose["services"][name]
    home = folder / name
    for config in service["configs"]:
        copy = home / Path(config["target"]).relative_to("/etc")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(Path(compose["configs"][config["source"]]["file"]).read_text())
    command = [part.replace("=/", f"={home}/").replace(f"{home}/etc/", f"{home}/") for part in service["command"]]
    resolver = home / "resolv.conf"
    resolver.write_text(f"nameserver {_DNS[0]}\n")
    Path("/run/secrets").mkdir(exist_ok=True)
    script = 'mount --bind "$1" /run/secrets && mount --bind "$2" /etc/resolv.conf && shift 2 && exec "$@"'
    told = ["unshare", "--mount", "sh", "-c", script, name, str(secrets), str(resolver), PROGRAMS[name], *command]
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(told, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def _names(known: Collection[str]) -> Iterator[None]:
    """Answer for the names of services as Docker's DNS does: with an address, or that there is no such name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(_DNS)
        listener.settimeout(0.5)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    question, caller = listener.recvfrom(512)
                except TimeoutError:
                    continue
                listener.sendto(_answered(question, known), caller)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _answered(question: bytes, known: Collection[str]) -> bytes:
    """RFC 1035: the header, the question as it came, and at most one address."""
    labels, at = [], 12
    while length := question[at]:
        labels.append(question[at + 1 : at + 1 + length].decode())
        at += 1 + length
    (kind,) = struct.unpack_from("!H", question, at + 1)
    there = ".".join(labels) in known
    address = (
        struct.pack("!HHHIH4s", 0xC00C, _A, 1, 1, 4, socket.inet_aton("127.0.0.1")) if there and kind == _A else b""
    )
    header = question[:2] + struct.pack("!HHHHH", _OK if there else _NO_SUCH_NAME, 1, bool(address), 0, 0)
    return header + question[12 : at + 5] + address
