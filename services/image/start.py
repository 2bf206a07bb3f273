"""Starts an image as compose.yaml would and sees it work: ``start.py SERVICE IMAGE COMPOSE_JSON``.

The Temporal server and PostgreSQL are real and listen on loopback. Run it in a network namespace of its own, because
the ports are fixed: ``unshare --net``.
"""
# ruff: noqa: INP001, S603, S607, T201 (a program: it runs the tools that build-image.sh installed, and says what it found)

import json
import secrets
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from container import Container, Recipe, Runtime

from trenova_activities.testing import PostgresServer

# Another address than 127.0.0.1: only a server that listens on all of them answers here.
HEALTH = "http://127.0.0.2:8080/readyz"
READY_S = 60
VERB_S = 120
USER = "10001"
REFUSED = 2


class Found(Exception):  # noqa: N818 (what is found is no fault of this program)
    """The image does not do what it should."""


def main(service: str, image: str, compose_file: str) -> int:
    """Return 0 if the image works; what does not is on stderr."""
    services = json.loads(Path(compose_file).read_text())["services"]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trenova-image-")))
        folder.chmod(0o755)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        stack.enter_context(temporal(services["temporal"], folder))
        database = stack.enter_context(PostgresServer())
        use_database(services, database)
        root, config = stack.enter_context(mounted(image))
        runtime = Runtime(root, folder)
        recipes = {
            name: Recipe(config, services[name], hosts=("temporal", "postgres"))
            for name in (service, f"{service}-prepare")
        }
        try:
            try_image(runtime, recipes[service], recipes[f"{service}-prepare"])
        except (Found, subprocess.SubprocessError) as found:
            for log in sorted(folder.glob("*/stderr")):
                print(f"-- {log.parent.name}:\n{log.read_text()[-3000:]}", file=sys.stderr)
            print(f"{service}: {found}", file=sys.stderr)
            return 1
    print(f"{service}: the image works")
    return 0


def try_image(runtime: Runtime, worker: Recipe, prepare: Recipe) -> None:
    """Try every verb that compose.yaml uses, the way it uses it."""
    bare = Recipe(worker.image, {**worker.compose, "environment": {}}, worker.hosts)
    with timed("refuses to run in production without a database"):
        container = runtime.bundle("bare", bare)
        expect("exit status", container.ended(VERB_S)[0], REFUSED)
        if "database" not in container.log.read_text():
            raise Found("does not say that it needs a database.")
    with timed("shows its settings"):
        status, output = runtime.bundle("settings", worker, ["config", "show", "--json"]).ended(VERB_S)
        expect("exit status of 'config show'", status, 0)
        shown = json.loads(output)
        settings = {setting["key"]: setting for setting in shown["settings"]}
        expect("env", settings["env"]["value"], "prod")
        expect("source of log.level", settings["log.level"]["source"], "config/prod.yaml")
        drain_s = settings["worker.graceful_shutdown_s"]["value"]
        if worker.grace_s <= drain_s:
            raise Found(f"stop_grace_period of compose.yaml is {worker.grace_s} s; make it longer than {drain_s} s.")
    for name in ("prepare", "prepare-again"):
        with timed("prepares" if name == "prepare" else "prepares what is prepared"):
            expect("exit status of 'prepare'", runtime.bundle(name, prepare).ended(VERB_S)[0], 0)
    with timed("finds nothing amiss"):
        expect("exit status of 'check'", runtime.bundle("check", worker, ["check"]).ended(VERB_S)[0], 0)
    run(runtime.bundle("worker", worker), worker, shown["queues"])


def run(container: Container, recipe: Recipe, queues: Sequence[str]) -> None:
    """Run the worker until its queues are polled, look at it, and ask it to end."""
    with container.running() as process:
        with timed(f"polls {', '.join(queues)}"):
            report = wait_until(READY_S, lambda: ready(process))
            expect("queues", report["queues"], dict.fromkeys(queues, "polling"))
        with timed("is healthy in the eyes of compose.yaml"):
            inside(container, *recipe.compose["healthcheck"]["test"][1:])
        confined(container.first_process(), recipe)
        with timed("fills the sample TMS"):
            inside(container, "trenova-activities", "db", "seed")
        with timed("does its demonstration"):
            inside(container, *recipe.arguments(["demo", "--json"]))
        with timed("drains on SIGTERM"):
            container.terminate()
            process.communicate(timeout=recipe.grace_s)
            expect("exit status of 'run'", process.returncode, 0)


def inside(container: Container, *command: str) -> None:
    """Run a command in the container; it must succeed."""
    expect(f"exit status of {command[:3]}", container.inside(*command, timeout_s=VERB_S), 0)


def confined(process: Mapping[str, str], recipe: Recipe) -> None:
    """The worker itself is process 1, may nothing, and cannot change its files."""
    expect("process 1", process["Executable"].rstrip("0123456789."), "python")
    expect("user", set(process["Uid"].split()), {USER})
    expect("group", set(process["Gid"].split()), {USER})
    expect("capabilities", int(process["CapBnd"], 16), 0)
    expect("new privileges forbidden", process["NoNewPrivs"], "1")
    expect("cap_drop of compose.yaml", recipe.compose["cap_drop"], ["ALL"])
    expect("security_opt of compose.yaml", recipe.compose["security_opt"], ["no-new-privileges:true"])
    expect("root file system", process["Root"].split(",")[0], "ro")
    print(f"  is process 1, user {USER}, without capabilities, on a read-only root")


def ready(process: subprocess.Popen[str]) -> dict[str, Any] | None:
    """Return the answer of ``/readyz`` once it is 200."""
    if process.poll() is not None:
        raise Found(f"ended with status {process.returncode} before it was ready.")
    try:
        with urllib.request.urlopen(HEALTH, timeout=3) as answer:
            report: dict[str, Any] = json.load(answer)
            return report
    except (urllib.error.URLError, OSError):
        return None


@contextmanager
def temporal(service: Mapping[str, Any], folder: Path) -> Iterator[None]:
    """Run the dev server with compose.yaml's own arguments; it must be the version that compose.yaml names."""
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    environment = {"HOME": str(folder), "PATH": str(binary.parent)}
    version = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout
    expect("version of the Temporal CLI in uv.lock", version.split()[2], service["image"].rpartition(":")[2])
    command = [part.replace("/home/temporal", str(folder)) for part in service["command"]]
    with (folder / "temporal.log").open("w") as log:
        process = subprocess.Popen([binary, *command], env=environment, stdout=log, stderr=log)
    try:
        probe = [binary.parent / service["healthcheck"]["test"][1], *service["healthcheck"]["test"][2:]]
        with timed("Temporal server answers"):
            wait_until(
                READY_S, lambda: not subprocess.run(probe, env=environment, check=False, capture_output=True).returncode
            )
        yield
    finally:
        process.terminate()
        process.wait(30)


def use_database(services: Mapping[str, Any], server: PostgresServer) -> None:
    """Create what the PostgreSQL of compose.yaml would, whose user is a superuser; point its services to the port."""
    user, name = (services["postgres"]["environment"][key] for key in ("POSTGRES_USER", "POSTGRES_DB"))
    server.execute(f"CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{secrets.token_hex(8)}'")
    server.create_database(name=name)
    server.execute(f"ALTER DATABASE {name} OWNER TO {user}")
    for service in services.values():
        url = service["environment"] if service.get("environment") else {}
        if "TRENOVA_DATABASE__URL" in url:
            expect("database", url["TRENOVA_DATABASE__URL"].rpartition("@")[2], f"postgres:5432/{name}")
            url["TRENOVA_DATABASE__URL"] = url["TRENOVA_DATABASE__URL"].replace(":5432/", f":{server.port}/")


@contextmanager
def mounted(image: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Mount the image's file system; yield where, and the image's configuration."""
    container = buildah("from", "--pull-never", image)
    try:
        described = json.loads(buildah("inspect", "--type", "image", image))
        yield Path(buildah("mount", container)), described["OCIv1"]["config"]
    finally:
        buildah("rm", container)


def buildah(*arguments: str) -> str:
    """Return what buildah prints."""
    done = subprocess.run(["buildah", *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def wait_until(timeout_s: float, look: Callable[[], Any]) -> Any:
    """Return the first result that is true.

    Raises:
        Found: There was none in time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if result := look():
            return result
        time.sleep(0.1)
    raise Found(f"gave no answer within {timeout_s} s.")


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say how long a step took."""
    began = time.monotonic()
    yield
    print(f"  {what} ({time.monotonic() - began:.1f} s)", flush=True)


def expect(what: str, found: object, wanted: object) -> None:
    """Go on only if both are the same.

    Raises:
        Found: They differ.
    """
    if found != wanted:
        raise Found(f"{what} is {found!r}, wanted {wanted!r}.")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
