import asyncio
import json
import os
import re
import signal
import subprocess
import sysconfig
from pathlib import Path

import httpx
import pytest
import yaml
from pool_site import eventually
from typer.testing import CliRunner

from trenova_errors import ConfigurationError
from trenova_workers._cli_workers import workers_app
from trenova_workers.pool import ContentionOptions, CrashOptions, ProcessOptions, load_pools, open_store

COMMAND = Path(sysconfig.get_path("scripts")) / "trenova-workers"
DOCUMENT = Path(__file__).parents[4] / "docs" / "worker-pools.md"


class Commands:
    """``trenova-workers`` about one file of pools, as processes of the site."""

    def __init__(self, site, **options):
        self.site, self.file = site, site.folder / "pools.yaml"
        told = json.loads(site.options(**options).model_dump_json(exclude_unset=True))
        told["database"] = {"url": f"sqlite:///{site.folder}/pools.db"}
        self.file.write_text(yaml.safe_dump({**told, "data_dir": str(site.folder / "data")}))
        self.environ = {**site.environ, "TRENOVA_POOLS": str(self.file), "LOGNAME": "ann"}

    def call(self, *arguments, status=0):
        """Run a command that asks or orders in this process, which is a matter of milliseconds."""
        done = invoke("pool", *arguments, TRENOVA_POOLS=str(self.file), LOGNAME="ann")
        assert done.exit_code == status, done.output
        return done.output

    def status(self):
        return json.loads(self.call("status", "--json"))

    def run(self, *arguments):
        log = (self.site.folder / f"run-{len(self.site.managers)}.log").open("w+")
        process = subprocess.Popen(
            [COMMAND, "pool", "run", *arguments],
            env=self.environ,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=self.site.folder,
            start_new_session=True,
        )
        log.close()
        self.site.managers.append(process)
        return process, Path(log.name)


@pytest.mark.slow
@pytest.mark.integration
def test_a_pool_is_run_looked_at_and_steered_from_the_command_line(site):
    commands = Commands(site, policy={"poll_s": 5, "max_workers": 3}, manager={"server": {"port": 0}})
    process, log = commands.run("--dry-run")
    assert process.wait(60) == 0, log.read_text()
    assert "sample: 0 -> 1, would start 1 and drain 0." in log.read_text()
    assert site.pids() == set()
    assert not (site.folder / "pools.db").exists()
    assert not (site.folder / "data").exists()

    process, log = commands.run("--serve", "--drain")
    eventually(lambda: invoke("pool", "status", TRENOVA_POOLS=str(commands.file)).exit_code == 0)  # it makes the store
    eventually(lambda: commands.status()["pools"][0]["counts"].get("running") == 1)
    told = commands.status()
    assert (told["manager"]["acting"], told["manager"]["fence"]) == (True, 1)
    (worker,) = told["workers"]
    assert worker["identity"].startswith("sample-worker@")
    shown = commands.call("status")
    assert "sample: steady, wants 1, has 1 running" in shown
    assert worker["id"] in shown

    assert "ann wants 2 until" in commands.call("override", "sample", "2", "--for", "5m", "--reason", "rush hour")
    eventually(lambda: len(site.pids()) == 2)
    page = [json.loads(line) for line in commands.call("decisions", "sample", "--changes", "--json").splitlines()]
    assert (page[0]["before"], page[0]["desired"]) == (1, 2)
    assert "rush hour" in page[0]["why"] or "ann" in page[0]["why"]
    assert page[0]["document"]["trigger"] == "override"
    assert page[0]["why"] in commands.call("decisions", "sample", "--limit", "50")

    eventually(lambda: commands.status()["pools"][0]["counts"].get("running") == 2)
    before = {worker["id"] for worker in commands.status()["workers"]}
    assert "sample: " in commands.call("drain", "sample", "--reason", "new certificates")

    def renewed():
        told = commands.status()
        ids = {worker["id"] for worker in told["workers"]}
        return told["pools"][0]["counts"].get("running") == 2 and len(ids) == 2 and not ids & before

    eventually(renewed)
    one = commands.status()["workers"][0]["id"]
    assert f"{one} of sample is to be drained" in commands.call("drain", one, "--reason", "it leaks")
    eventually(lambda: one not in {worker["id"] for worker in commands.status()["workers"]})
    assert "no worker" in commands.call("drain", "nothing", "--reason", "x", status=1).lower()
    assert "ann paused it" in commands.call("pause", "sample", "--reason", "maintenance")
    assert "paused it" not in commands.call("resume", "sample", "--reason", "done")
    left = json.loads((site.folder / "data" / "pools-server.json").read_text())
    key = {"Authorization": f"Bearer {left['key']}"}
    assert httpx.get(f"{left['url']}/api/v1/pools", headers=key, trust_env=False).json()["manager"]["acting"] is True
    assert "trenova_workers_pool_desired{" in httpx.get(f"{left['url']}/metrics", headers=key, trust_env=False).text
    process.send_signal(signal.SIGTERM)
    assert process.wait(40) == 0, log.read_text()
    assert site.pids() == set()
    assert "no pool" in commands.call("pause", "nothing", "--reason", "x", status=1).lower()


@pytest.mark.integration
def test_a_manager_that_is_stopped_while_it_starts_ends_without_a_word_of_complaint(site):
    commands = Commands(site)
    slow = site.folder / "slow_worker.py"
    slow.write_text("import pathlib, time\npathlib.Path('asked').touch()\ntime.sleep(60)\n")
    told = yaml.safe_load(commands.file.read_text())
    told["pools"]["sample"]["process"] = {"module": "slow_worker"}
    commands.file.write_text(yaml.safe_dump(told))
    commands.environ["PYTHONPATH"] += f":{site.folder}"
    process, log = commands.run("--drain")
    eventually((site.folder / "asked").exists)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(20) == 0, log.read_text()
    assert log.read_text() == "stopped before it had begun\n"


@pytest.mark.parametrize("command", [["status"], ["decisions", "sample"], ["override", "sample", "2", "--for", "5m"]])
def test_a_store_that_no_manager_made_is_not_made_by_asking(tmp_path, command):
    file, folder = tmp_path / "pools.yaml", tmp_path / "mistyped"
    file.write_text("pools: {sample: {process: {module: sample_worker}}}")
    reason = ["--reason", "x"] if command[0] == "override" else []
    done = invoke("pool", *command, *reason, "--pools", str(file), "--data-dir", str(folder))
    assert done.exit_code == 2
    assert f"No pool manager has run with '{folder}/pools.db'" in done.output
    assert "--data-dir" in done.output
    assert not folder.exists()


@pytest.mark.parametrize(
    "order", [["override", "sample", "2", "--for", "5m"], ["pause", "sample"], ["resume", "sample"]]
)
def test_an_order_to_a_store_that_no_manager_ever_led_is_refused(tmp_path, order):
    file, url = tmp_path / "pools.yaml", f"sqlite:///{tmp_path}/pools.db"
    file.write_text("{scope: here, pools: {sample: {process: {module: sample_worker}}}}")
    assert invoke("db", "migrate", "--database-url", url).exit_code == 0
    done = invoke("pool", *order, "--reason", "x", "--pools", str(file), "--database-url", url)
    assert done.exit_code == 2
    assert "No manager of the scope 'here' has ever led" in done.output
    status = invoke("pool", "status", "--pools", str(file), "--database-url", url)
    assert (status.exit_code, "nobody yet" in status.output) == (0, True)


def test_without_a_file_the_pools_of_up_are_looked_for(tmp_path):
    done = invoke("pool", "status", "--data-dir", str(tmp_path))
    assert done.exit_code == 2
    assert f"'{tmp_path}/pools.yaml', which `trenova-workers up --pools` leaves, is not there" in done.output


def invoke(*arguments, **environ):
    return CliRunner().invoke(workers_app(), [*arguments], env=environ)


def test_a_file_that_does_not_hold_is_refused_with_every_key_that_is_wrong(tmp_path):
    file = tmp_path / "pools.yaml"
    file.write_text("pools:\n  a:\n    process: {service: x, module: y}\n    polic: {}\n    policy: {max_workers: 0}\n")
    done = invoke("pool", "status", "--pools", str(file))
    assert done.exit_code == 2
    assert "pools.a.process: say either service (an installed worker) or module" in done.output
    assert "pools.a.polic: this key is not known; there are business_class, contention, crashes, depend" in done.output
    file.write_text("pools: {}\n")
    assert invoke("pool", "status", "--pools", str(file)).exit_code == 2
    file.write_text("pools: [\n")
    assert "is not YAML" in invoke("pool", "status", "--pools", str(file)).output
    assert "cannot be read" in invoke("pool", "status", "--pools", str(tmp_path / "none.yaml")).output


def test_the_budget_has_to_cover_what_pools_must_have_and_to_know_their_classes(tmp_path):
    file = tmp_path / "pools.yaml"
    classes = {"dispatch": {"rank": 1, "guarantee": 1}}
    process = {"module": "x"}
    pool = {"process": process, "business_class": "dispatch"}
    file.write_text(yaml.safe_dump({"budget": {"workers": 1, "classes": classes}, "pools": {"a": pool, "b": pool}}))
    done = invoke("pool", "status", "--pools", str(file))
    assert "budget.workers is 1, and the minima of the pools come to 2; raise it" in done.output
    file.write_text(
        yaml.safe_dump({"budget": {"workers": 4, "classes": classes}, "pools": {"a": pool, "b": {"process": process}}})
    )
    done = invoke("pool", "status", "--pools", str(file))
    assert "pools.b.business_class is '', and the budget has dispatch; name one of them" in done.output


def test_a_time_that_is_none_is_refused(tmp_path):
    done = invoke("pool", "override", "a", "2", "--for", "soon", "--reason", "x", "--pools", str(tmp_path / "x.yaml"))
    assert done.exit_code == 2
    assert "90m, 2h or 1d" in done.output


@pytest.fixture
def led(tmp_path):
    """A store that a manager has led, of one pool of at most two workers; what a command about it comes to."""
    told = {"scope": "here", "data_dir": str(tmp_path)}
    file = tmp_path / "pools.yaml"
    file.write_text(
        yaml.safe_dump({**told, "pools": {"a": {"process": {"module": "x"}, "policy": {"max_workers": 2}}}})
    )

    async def lead():
        async with open_store(load_pools(file)) as store:
            assert await store.leases.take("here", "manager@test:1#abcdef")

    asyncio.run(lead())
    return lambda *arguments: invoke("pool", *arguments, "--pools", str(file))


@pytest.mark.parametrize("reason", ["", "  "])
@pytest.mark.parametrize(
    "order", [["override", "a", "2", "--for", "10m"], ["pause", "a"], ["resume", "a"], ["drain", "a"]]
)
def test_a_blank_reason_is_refused(led, order, reason):
    done = led(*order, "--reason", reason)
    assert done.exit_code == 2
    assert "say why, in a few words" in done.output


def test_an_override_beyond_the_policy_says_to_what_it_is_held(led):
    done = led("override", "a", "5", "--for", "10m", "--reason", "rush")
    assert done.exit_code == 0
    assert "warning: it is held to 2, which is policy.max_workers of a." in done.output
    assert "held" not in led("override", "a", "2", "--for", "10m", "--reason", "rush").output


def test_an_override_lasts_a_week_at_most(led):
    done = led("override", "a", "2", "--for", "10000d", "--reason", "rush")
    assert done.exit_code == 2
    assert "at most 7d; got '10000d'" in done.output
    assert led("override", "a", "2", "--for", "7d", "--reason", "rush").exit_code == 0


def test_a_pool_that_is_not_there_is_answered_with_those_that_are(led):
    done = led("pause", "b", "--reason", "x")
    assert done.exit_code == 1
    assert "There is no pool 'b' in the scope 'here'; there are a." in done.output


@pytest.mark.parametrize("name", ["", "A_B c\nd"])
def test_what_is_no_name_of_an_object_is_refused(tmp_path, name):
    done = invoke("pool", "keda", "--pools", str(tmp_path / "x.yaml"), "--authentication", name)
    assert done.exit_code == 2
    assert "no name of a" in done.output


@pytest.mark.parametrize("name", ["..", ".hidden", "../up", "a/b", "/tmp/a", "a\\n"])
def test_a_pool_cannot_be_named_like_a_place_elsewhere(tmp_path, name):
    file = tmp_path / "pools.yaml"
    file.write_text(f'pools: {{"{name}": {{process: {{module: x}}}}}}')
    done = invoke("pool", "status", "--pools", str(file))
    assert done.exit_code == 2
    assert "[a-z0-9][a-z0-9._-]" in done.output


def test_a_switch_is_no_number(tmp_path):
    file = tmp_path / "pools.yaml"
    file.write_text("pools: {a: {process: {module: x}, policy: {max_workers: true}}}")
    done = invoke("pool", "status", "--pools", str(file))
    assert "pools.a.policy.max_workers: is true; write a number" in done.output


def test_the_tables_are_made_by_a_command(tmp_path):
    url = f"sqlite:///{tmp_path}/pools.db"
    first = invoke("db", "migrate", "--database-url", url, "--json")
    assert json.loads(first.output) == {"changed": True, "revision": "0002"}
    assert "Nothing to do: the store is at revision 0002" in invoke("db", "migrate", "--database-url", url).output
    wrong = invoke("db", "migrate", "--database-url", "mysql://root:secret@db/x")
    assert wrong.exit_code == 2
    assert "secret" not in wrong.output


@pytest.mark.skipif(not DOCUMENT.exists(), reason="the documents are in the repository only")
def test_the_documented_file_holds_and_its_options_are_all_that_there_are(tmp_path):
    text = DOCUMENT.read_text()
    file = tmp_path / "pools.yaml"
    file.write_text(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    options = load_pools(file)
    assert list(options.pools) == ["shipments", "notifications"]
    assert options.pools["shipments"].process.drain_s is None
    for model in (ProcessOptions, CrashOptions, ContentionOptions):
        for name in model.model_fields:
            assert name in text


def test_a_number_of_workers_below_none_is_refused_as_a_number(tmp_path):
    told = ("pool", "override", "sample", "-3", "--for", "5m", "--reason", "none")

    done = invoke(*told, TRENOVA_POOLS=str(tmp_path / "pools.yaml"))

    assert done.exit_code == 2
    assert "-3 is no number of workers. Write one from 0 to 10000." in done.output


def test_a_key_that_a_policy_has_twice_is_refused(tmp_path):
    (tmp_path / "pools.yaml").write_text("pools: {a: {process: {service: b}, policy: {minWorkers: 2, min_workers: 3}}}")

    with pytest.raises(ConfigurationError, match=r"pools\.a\.policy: 'min_workers' is 3: 'minWorkers' is the same"):
        load_pools(tmp_path / "pools.yaml")
