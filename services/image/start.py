"""Starts an image as compose.yaml would and sees it work: ``start.py SERVICE IMAGE COMPOSE_JSON SECRETS``.

The Temporal server and PostgreSQL are real and listen on loopback. Run it in a network namespace of its own, because
the ports are fixed: ``unshare --net``.
"""
# ruff: noqa: INP001, S603, S607, T201 (a program: it runs the tools that build-image.sh installed, and says what it found)

import json
import secrets
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml
from consoles import consoles
from container import Container, Recipe, Runtime
from facts import nothing_is_left, nothing_raises_rights, size
from steps import Found, expect, timed, wait_until
from watch import installed, watched

from trenova_activities.testing import PostgresServer

# Another address than 127.0.0.1: only a server that listens on all of them answers here.
ADDRESS = "127.0.0.2"
READY_S = 60
VERB_S = 120
STARTS = 5
USER = "10001"
REFUSED = 2
HOSTS = ("temporal", "postgres", "dashboard", "codec-server")
CONSOLES = "system-worker"
"""Whose image the dashboard and the codec server run from."""


def main(service: str, image: str, compose_file: str, secrets_folder: str) -> int:
    """Return 0 if the image works; what does not is on stderr."""
    compose = json.loads(Path(compose_file).read_text())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trenova-image-")))
        folder.chmod(0o755)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        root, config = stack.enter_context(mounted(image))
        try:
            size(image, root, folder)
            nothing_raises_rights(root)
            nothing_is_left(root)
            stack.enter_context(temporal(compose, folder))
            database = stack.enter_context(PostgresServer())
            use_database(compose["services"], database)
            runtime = Runtime(root, folder)
            recipes = {
                name: Recipe(config, told, HOSTS, mounted_files(compose, told, Path(secrets_folder)))
                for name, told in compose["services"].items()
                if told["image"] == f"trenova/{service}:local"
            }
            shown = try_image(runtime, recipes[service], recipes[f"{service}-prepare"])
            start_times(runtime, recipes[service])
            run(runtime.bundle("worker", recipes[service]), recipes[service], shown["queues"])
            if service == CONSOLES:
                try_consoles(runtime, recipes, compose, Path(secrets_folder), folder)
        except (Found, subprocess.SubprocessError) as found:
            for log in sorted([*folder.glob("*/stderr"), *folder.glob("*.log")]):
                print(f"-- {log.parent.name}/{log.name}:\n{log.read_text()[-3000:]}", file=sys.stderr)
            print(f"{service}: {found}", file=sys.stderr)
            return 1
    print(f"{service}: the image works")
    return 0


def mounted_files(compose: Mapping[str, Any], service: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Return what compose mounts from configs and secrets: where in the container, and where it is here."""
    configs = {one["target"]: Path(compose["configs"][one["source"]]["file"]) for one in service.get("configs") or []}
    hidden = {f"/run/secrets/{one['source']}": folder / one["source"] for one in service.get("secrets") or []}
    return configs | hidden


def try_consoles(
    runtime: Runtime, recipes: Mapping[str, Recipe], compose: Mapping[str, Any], hidden: Path, folder: Path
) -> None:
    """Run worker, dashboard and codec server together, and Prometheus over them where it is installed."""
    worker = runtime.bundle("watched-worker", recipes[CONSOLES])
    files = recipes["dashboard"].files | {"/run/secrets/metrics_token": hidden / "metrics_token"}
    told = {**recipes, "dashboard": Recipe(**{**vars(recipes["dashboard"]), "files": files})}
    with worker.running() as process:
        wait_until(READY_S, lambda: ready(process))
        pages = [runtime.bundle(name, recipes[name]) for name in ("dashboard", "codec-server")]
        with consoles(*pages, told):
            if not installed():
                print("  Prometheus and Alertmanager are not installed; what watches all this was not tried")
                return
            there = (CONSOLES, "dashboard", "codec-server", "temporal", "alertmanager")
            up = {"trenova-workers": 1, "trenova-servers": 2, "temporal": 1, "prometheus": 2}
            watched(compose, hidden, folder, there, up)


def start_times(runtime: Runtime, worker: Recipe) -> None:
    """Print how long it takes from nothing to ``/readyz``, several times."""
    took = []
    for number in range(STARTS):
        container = runtime.bundle(f"start-{number}", worker)
        began = time.monotonic()
        with container.running() as process:
            wait_until(READY_S, lambda process=process: ready(process))
            took.append(time.monotonic() - began)
    print(
        f"  start until /readyz is 200, {STARTS} times: "
        f"min {min(took):.1f} s, median {statistics.median(took):.1f} s, max {max(took):.1f} s"
    )


def try_image(runtime: Runtime, worker: Recipe, prepare: Recipe) -> dict[str, Any]:
    """Try every verb that compose.yaml uses, the way it uses it; return what ``config show`` says."""
    bare = Recipe(worker.image, {**worker.compose, "environment": {}}, worker.hosts)
    with timed("refuses to run in production without a database"):
        container = runtime.bundle("bare", bare)
        expect("exit status", container.ended(VERB_S)[0], REFUSED)
        if "database" not in container.log.read_text():
            raise Found("does not say that it needs a database.")
    with timed("shows its settings"):
        status, output = runtime.bundle("settings", worker, ["config", "show", "--json"]).ended(VERB_S)
        expect("exit status of 'config show'", status, 0)
        shown: dict[str, Any] = json.loads(output)
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
    return shown


WRITES = """
import errno, pathlib
for place in ("/written", "/app/written", "/data/written", "/usr/bin/written", "/etc/written"):
    try:
        pathlib.Path(place).write_text("x")
    except OSError as error:
        assert error.errno == errno.EROFS, (place, error)
    else:
        raise SystemExit(place + " can be written")
pathlib.Path("/tmp/written").write_text("x")
"""


def run(container: Container, recipe: Recipe, queues: Sequence[str]) -> None:
    """Run the worker until its queues are polled, look at it, and ask it to end."""
    with container.running() as process:
        with timed(f"polls {', '.join(queues)}"):
            report = wait_until(READY_S, lambda: ready(process))
            expect("queues", report["queues"], dict.fromkeys(queues, "polling"))
        with timed("is healthy in the eyes of compose.yaml"):
            inside(container, *recipe.compose["healthcheck"]["test"][1:])
        confined(container.first_process(), recipe)
        inside(container, "python", "-c", WRITES)
        print("  cannot write to its root (EROFS), and can to /tmp; it has no shell and needs none")
        with timed("answers scrapes"):
            scraped = look(f"http://{ADDRESS}:{recipe.compose['environment']['TRENOVA_WORKER__METRICS__PORT']}/metrics")
            if "temporal_" not in (scraped or ""):
                raise Found("has no metrics where compose.yaml says.")
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
    answer = look(f"http://{ADDRESS}:8080/readyz")
    return None if answer is None else json.loads(answer)


def look(url: str) -> str | None:
    """Return what is answered with status 200, None where there is no such answer."""
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310 (of this file)
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return None


@contextmanager
def temporal(compose: Mapping[str, Any], folder: Path) -> Iterator[None]:
    """Run Temporal's dev server in place of the one on PostgreSQL: its version, dynamic configuration and namespace."""
    services = compose["services"]
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    version = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout
    for name, said in (("temporal", "Server"), ("temporal-ui", "UI")):
        if f"{said} {services[name]['image'].rpartition(':')[2]}" not in version:
            raise Found(
                f"compose.yaml has {services[name]['image']}, and the command line of uv.lock {version.strip()}."
            )
    dynamic = yaml.safe_load(Path(compose["configs"]["temporal-dynamic"]["file"]).read_text())
    values = [f"--dynamic-config-value={key}={json.dumps(one['value'])}" for key, (one,) in dynamic.items()]
    metrics = services["temporal"]["environment"]["PROMETHEUS_ENDPOINT"].rpartition(":")[2]
    command = ["server", "start-dev", "--headless", "--ip=0.0.0.0", f"--metrics-port={metrics}", "--log-level=warn"]
    environment = {"HOME": str(folder), "PATH": f"{binary.parent}:/usr/bin:/bin"}
    with (folder / "temporal.log").open("w") as log:
        process = subprocess.Popen([binary, *command, *values], env=environment, stdout=log, stderr=log)
    try:
        told = {**environment, **services["temporal-namespace"]["environment"], "TEMPORAL_ADDRESS": "127.0.0.1:7233"}
        script = compose["configs"]["temporal-namespace"]["file"]
        for what in ("Temporal server answers and has its namespace", "the namespace is left as it is"):
            with timed(what):
                subprocess.run(["sh", script], env=told, check=True, stdout=subprocess.DEVNULL, timeout=READY_S)
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
        url = service.get("environment") or {}
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


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
