"""compose.yaml agrees with what it starts: commands, settings, ports, rules, dashboards; and nothing in it is open."""

import asyncio
import functools
import json
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import typer
import yaml
from service_processes import clean_environ
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client

import trenova_codecs.cli
import trenova_schedules.cli
from notification_worker.__main__ import SERVICE as NOTIFICATIONS
from shipment_worker.__main__ import SERVICE as SHIPMENTS
from system_worker.__main__ import SERVICE as SYSTEM
from trenova_access import require_safe_bind
from trenova_activities import SEARCH_ATTRIBUTES
from trenova_codecs.server import _settings as codec_settings
from trenova_schedules.server import load_options
from trenova_workers._cli_service import service_app
from trenova_workers._up._embedded import EmbeddedServer

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services"
TEXT = (SERVICES / "compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
CONTAINERS = COMPOSE["services"]
WORKERS = {one.name: one for one in (SHIPMENTS, NOTIFICATIONS, SYSTEM)}
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^${}]*))?\}")
SECRET = re.compile(r"PASSWORD|PWD|TOKEN|SECRET|KEY_k1|DATABASE__URL")


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("secrets")
    make_secrets(folder)
    return folder


def make_secrets(folder):
    subprocess.run(["sh", SERVICES / "compose" / "secrets.sh", folder], check=True, timeout=60)


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_may_nothing_and_writes_nowhere_but_where_it_is_told(name):
    told = CONTAINERS[name]

    assert told["read_only"] is True
    assert told["tmpfs"][0] == "/tmp"
    assert told["cap_drop"] == ["ALL"]
    assert told["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & told.keys()
    assert all("docker.sock" not in str(volume) for volume in told.get("volumes", []))
    # Ours, Temporal's server and its tools say in the image that they are not root.
    own = ("trenova/", "docker.io/temporalio/server", "docker.io/temporalio/admin-tools")
    assert told["image"].startswith(own) or int(told["user"].partition(":")[0]) > 0


def test_ports_are_published_on_loopback_alone_and_are_those_of_the_page():
    ports = [port for told in CONTAINERS.values() for port in told.get("ports", [])]

    assert {port.partition(":")[0] for port in ports} == {"127.0.0.1"}
    assert all(len(set(port.split(":")[1:])) == 1 for port in ports)
    page = (ROOT / "docs" / "containers.md").read_text()
    assert sorted(re.findall(r"^\| (\d{4}) \|", page, re.MULTILINE)) == sorted(port.split(":")[1] for port in ports)


@pytest.mark.parametrize("name", CONTAINERS)
def test_an_image_is_pinned_or_built_here_and_never_fetched_under_our_name(name):
    image, tag = CONTAINERS[name]["image"].rsplit(":", 1)

    if image.startswith("trenova/"):
        assert "build" in CONTAINERS[name] or CONTAINERS[name]["pull_policy"] == "never"
        assert (tag, image.removeprefix("trenova/") in WORKERS) == ("local", True)
    else:
        assert image.startswith("docker.io/")
        assert re.match(r"v?\d+\.\d+", tag)


def test_what_stays_up_is_looked_after_and_what_waits_names_what_there_is():
    for name, told in CONTAINERS.items():
        once = told["restart"] == "no"
        assert once != ("healthcheck" in told), name
        for other, how in told.get("depends_on", {}).items():
            ended = CONTAINERS[other]["restart"] == "no"
            assert how["condition"] == ("service_completed_successfully" if ended else "service_healthy"), name


def test_no_secret_is_in_the_file_or_in_what_it_mounts(made):
    for name, told in CONTAINERS.items():
        for variable, value in told.get("environment", {}).items():
            if SECRET.search(variable):
                assert "${" in value or value.startswith("/run/secrets/"), (name, variable)
    secrets = [line.partition("=")[2] for line in (made / ".env").read_text().splitlines()]
    secrets += [file.read_text().strip() for file in (made / "secrets").iterdir()]
    for file in [SERVICES / "compose.yaml", *mounted()]:
        assert not [secret for secret in secrets if secret in file.read_text()], file
        assert "PRIVATE KEY" not in file.read_text()
    for secret in (".env", "secrets/tls_key"):
        ignored = subprocess.run(["git", "check-ignore", f"services/{secret}"], cwd=ROOT, capture_output=True)
        assert ignored.returncode == 0


def test_the_script_makes_every_secret_that_compose_asks_for_and_keeps_what_is_there(made):
    before = {file: file.read_bytes() for file in [made / ".env", *(made / "secrets").iterdir()]}
    make_secrets(made)

    assert {file: file.read_bytes() for file in before} == before
    required = {name for name, how, _ in VARIABLE.findall(TEXT) if how == "?"}
    required |= set(re.findall(r"\$\{(\w+):\?", TEXT))
    assert {line.partition("=")[0] for line in (made / ".env").read_text().splitlines()} == required
    assert {Path(one["file"]).name for one in COMPOSE["secrets"].values()} == {
        file.name for file in (made / "secrets").iterdir()
    }
    assert all(one["file"] == f"./secrets/{name}" for name, one in COMPOSE["secrets"].items())
    assert [stat.S_IMODE((made / one).stat().st_mode) for one in (".env", "secrets")] == [0o600, 0o700]
    # Read by the users of containers, who are nobody here.
    assert stat.S_IMODE((made / "secrets" / "tls_key").stat().st_mode) == 0o644


def test_every_file_that_is_mounted_is_there():
    assert len(mounted()) == len(COMPOSE["configs"])
    for name, told in CONTAINERS.items():
        assert {one["source"] for one in told.get("configs", [])} <= COMPOSE["configs"].keys(), name
        assert set(told.get("secrets", [])) <= COMPOSE["secrets"].keys(), name
        for volume in told.get("volumes", []):
            if isinstance(volume, dict):
                assert (SERVICES / volume["source"]).is_dir(), name
            else:
                assert volume.partition(":")[0] in COMPOSE["volumes"], name
        assert set(told["networks"]) <= COMPOSE["networks"].keys(), name


@pytest.mark.parametrize("name", [name for name, told in CONTAINERS.items() if told["image"].startswith("trenova/")])
def test_every_command_is_one_of_the_program_that_it_is_given_to(name):
    told = CONTAINERS[name]
    apps = {"trenova-schedules": trenova_schedules.cli.app, "trenova-codecs": trenova_codecs.cli.app}
    (program,) = told.get("entrypoint", [told["image"].removeprefix("trenova/").removesuffix(":local")])
    app = apps[program] if program in apps else service_app(WORKERS[program])
    verb, *options = told.get("command", ["run"])

    typer.main.get_command(app).commands[verb].make_context(verb, options)


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_takes_its_environment_and_is_where_its_probes_look(name, made):
    told = CONTAINERS[name]
    settings = shown(name, frozenset(environ(told, made).items()))

    assert settings["env"] == "prod"
    assert str(settings["database.url"]) != "None"
    port = settings["worker.metrics.port"]
    assert (settings["worker.metrics.exporter"], settings["worker.metrics.host"], port) == (
        "prometheus",
        "0.0.0.0",
        9464,
    )
    (health,) = re.findall(r"EXPOSE (\d+)", (SERVICES / "Dockerfile").read_text())
    assert f":{health}/readyz" in told["healthcheck"]["test"][-1]
    prepared = CONTAINERS[f"{name}-prepare"]
    assert told["environment"].items() > prepared["environment"].items()


@pytest.mark.parametrize("name", ["dashboard", "codec-server"])
def test_a_page_lets_nobody_in_unasked_and_speaks_tls(name, made):
    told = CONTAINERS[name]
    load, access = {
        "dashboard": (load_options, "TRENOVA_SCHEDULES_SERVER_ACCESS__API_TOKENS"),
        "codec-server": (codec_settings.load_options, "TRENOVA_CODEC_SERVER_ACCESS__API_TOKENS"),
    }[name]
    options = load(config(name), {access: environ(told, made)[access]}, {})

    require_safe_bind(options.host, tokens=options.access.proves_callers, encrypted=options.encrypted)
    assert not options.trusted_proxies
    assert not getattr(options, "no_sign_in", False)
    assert [str(options.tls_certificate), str(options.tls_key)] == [f"/run/secrets/{one}" for one in told["secrets"]]
    assert told["ports"] == [f"127.0.0.1:{options.port}:{options.port}"]
    assert f"127.0.0.1:{options.port}/" in told["healthcheck"]["test"][-1]
    (token,) = options.access.api_tokens
    assert (token.subject, token.grants) == ("prometheus", ())
    assert name in options.access.hosts


def test_the_codec_server_lets_in_the_pages_that_temporals_ui_has(made):
    ui = yaml.safe_load(config("temporal-ui").read_text())
    codec = codec_settings.load_options(config("codec-server"), {}, {})

    assert CONTAINERS["temporal-ui"]["ports"] == [f"127.0.0.1:{ui['port']}:{ui['port']}"]
    assert set(ui["cors"]["allowOrigins"]) == set(codec.access.origins)
    assert ui["codec"] == {"endpoint": f"https://127.0.0.1:{codec.port}", "includeCredentials": True}
    dashboard = load_options(config("dashboard"), {}, {})
    assert dashboard.dashboard.temporal_ui == f"https://127.0.0.1:{ui['port']}"


def test_the_certificate_is_of_every_name_that_a_page_is_asked_by(made):
    command = ["openssl", "x509", "-in", made / "secrets" / "tls_certificate", "-noout", "-ext", "subjectAltName"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    for page in ("IP Address:127.0.0.1", "DNS:localhost", "DNS:dashboard", "DNS:codec-server"):
        assert page in names


def test_prometheus_scrapes_what_listens_and_loads_our_rules():
    told = CONTAINERS["prometheus"]
    scraped = yaml.safe_load(config("prometheus").read_text())
    jobs = {job["job_name"]: job for job in scraped["scrape_configs"]}
    (workers,) = jobs["trenova-workers"]["dns_sd_configs"]

    assert sorted(workers["names"]) == sorted(WORKERS)
    assert {CONTAINERS[name]["environment"]["TRENOVA_WORKER__METRICS__PORT"] for name in WORKERS} == {
        str(workers["port"])
    }
    endpoints = {"temporal": CONTAINERS["temporal"]["environment"]["PROMETHEUS_ENDPOINT"].partition(":")[2]}
    endpoints |= {
        name: one["ports"][0].split(":")[1]
        for name, one in CONTAINERS.items()
        if one.get("ports") and name != "temporal"
    }
    endpoints["127.0.0.1"] = endpoints["prometheus"]
    static = [job["static_configs"] for job in jobs.values() if "static_configs" in job]
    static += [manager["static_configs"] for manager in scraped["alerting"]["alertmanagers"]]
    targets = [target for configs in static for one in configs for target in one["targets"]]
    assert targets == [f"{host}:{endpoints[host]}" for host in (target.partition(":")[0] for target in targets)]
    for target in targets:
        host = target.partition(":")[0]
        assert host == "127.0.0.1" or set(told["networks"]) & set(CONTAINERS[host]["networks"]), target
    files = [
        jobs["trenova-servers"]["tls_config"]["ca_file"],
        jobs["trenova-servers"]["authorization"]["credentials_file"],
    ]
    assert files == [f"/run/secrets/{one}" for one in told["secrets"]]
    rules = next(one["target"] for one in told["configs"] if one["source"] == "rules")
    assert Path(rules).relative_to("/etc/prometheus").match(*scraped["rule_files"])
    assert set(re.findall(r'up\{job="([^"]+)"', config("rules").read_text())) <= jobs.keys()


def test_both_files_of_prometheus_and_alertmanager_pass_their_own_checks():
    if not (shutil.which("promtool") and shutil.which("amtool")):
        pytest.skip("promtool and amtool are not installed (Debian: prometheus, prometheus-alertmanager)")
    for command in (
        ["promtool", "check", "config", "--syntax-only", config("prometheus")],
        ["amtool", "check-config", config("alertmanager")],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr


def test_grafana_has_our_dashboards_and_our_prometheus():
    told = CONTAINERS["grafana"]
    (source,) = yaml.safe_load(config("grafana-source").read_text())["datasources"]
    (provider,) = yaml.safe_load(config("grafana-dashboards").read_text())["providers"]
    (mount,) = [volume for volume in told["volumes"] if isinstance(volume, dict)]

    assert source["url"] == f"http://prometheus:{CONTAINERS['prometheus']['ports'][0].split(':')[1]}"
    assert set(told["networks"]) <= set(CONTAINERS["prometheus"]["networks"])
    assert provider["options"]["path"] == mount["target"]
    assert len(list((SERVICES / mount["source"]).glob("*.json"))) == 6
    assert told["environment"]["GF_AUTH_ANONYMOUS_ENABLED"] == "false"


def test_temporal_is_the_version_that_tests_run_on_and_configured_like_that_of_up():
    temporal = Path(sysconfig.get_path("scripts")) / "temporal"
    said = subprocess.run([temporal, "--version"], check=True, capture_output=True, text=True).stdout
    tags = {name: told["image"].rsplit(":", 1)[1] for name, told in CONTAINERS.items() if "temporalio" in told["image"]}

    assert f"Server {tags['temporal']}, UI {tags['temporal-ui']}" in said
    assert tags["temporal-schema"] == tags["temporal-namespace"] == tags["temporal"]
    dynamic = yaml.safe_load(config("temporal-dynamic").read_text())
    source = Path(sys.modules[EmbeddedServer.__module__].__file__).read_text()
    of_up = dict(re.findall(r'"--dynamic-config-value", "([\w.]+)=(\w+)"', source))
    assert {key: json.dumps(one["value"]) for key, (one,) in dynamic.items()} == of_up
    assert CONTAINERS["temporal"]["environment"]["DYNAMIC_CONFIG_FILE_PATH"] in [
        one["target"] for one in CONTAINERS["temporal"]["configs"]
    ]


async def test_the_namespace_is_created_with_its_search_attributes_and_then_left_alone(temporal, tmp_path):
    scripts = Path(sysconfig.get_path("scripts"))
    told = {
        "PATH": f"{scripts}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "TEMPORAL_ADDRESS": temporal.address,
        "TEMPORAL_NAMESPACE": "compose",
    }
    for _ in range(2):
        done = await asyncio.to_thread(
            subprocess.run, ["sh", config("temporal-namespace")], env=told, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr

    client = await Client.connect(temporal.address, namespace="compose")
    found = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="compose"))
    assert {key.name for key in SEARCH_ATTRIBUTES} <= found.custom_attributes.keys()
    assert all(found.custom_attributes[key.name] == int(key.indexed_value_type) for key in SEARCH_ATTRIBUTES)


def test_the_scripts_of_containers_are_shell():
    for script in [*(SERVICES / "compose").glob("*.sh")]:
        assert subprocess.run(["sh", "-n", script], timeout=10).returncode == 0


def config(name):
    return SERVICES / COMPOSE["configs"][name]["file"]


def mounted():
    return [file for name in COMPOSE["configs"] if (file := config(name)).is_file()]


def environ(told, folder):
    """The environment of a container as compose works it out, with the secrets of ``folder``."""
    known = dict(line.split("=", 1) for line in (folder / ".env").read_text().splitlines())

    def value(match):
        name, how, other = match.groups()
        assert name in known or how == "-", f"{name} is told by nobody"
        return known.get(name, other or "")

    def worked_out(text):  # a default may hold another variable
        return worked_out(VARIABLE.sub(value, text)) if VARIABLE.search(text) else text

    return {name: worked_out(text) for name, text in told["environment"].items()}


@functools.cache
def shown(worker, told):
    command = [sys.executable, "-m", worker.replace("-", "_"), "config", "show", "--json"]
    env = {**clean_environ(), "TRENOVA_ENV": "prod", **dict(told)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return {setting["key"]: setting["value"] for setting in json.loads(done.stdout)["settings"]}
