import json
import subprocess
import sys

import pytest


def lines(completed):
    return [json.loads(line) for line in completed.stdout.splitlines()]


def test_prepare_check_run_and_demo_of_a_service(sample):
    before = sample.call("check", "--json")
    prepared = sample.call("prepare")
    again = sample.call("prepare")
    after = sample.call("check", "--json")
    sample.start("run").until_ready()
    demo = sample.call("demo", "--json", "--token", "t0ken")
    differs = sample.call("demo", "--json", "--set", "expected=2")
    people = sample.call("demo")

    assert (before.returncode, prepared.returncode, again.returncode, after.returncode) == (1, 0, 0, 0)
    assert prepared.stdout == ""
    assert [finding["subject"] for finding in lines(after)] == [
        "temporal server",
        "search attribute SampleTag",
        "registrations",
        "schedules",
        "client plugins",
        "store",
    ]
    assert demo.returncode == 0
    assert lines(demo) == [
        {"event": "progress", "label": "naps", "done": 0, "total": 1},
        {"event": "progress", "label": "naps", "done": 1, "total": 1},
        {"event": "check", "name": "attempts", "expected": 1, "actual": 1, "ok": True},
        {"event": "summary", "text": "Napped as t0ken."},
    ]
    assert differs.returncode == 1
    assert lines(differs)[2]["ok"] is False
    assert people.returncode == 0
    assert "Asked for and found" in people.stdout
    assert "attempts" in people.stdout


def test_a_check_without_a_server_says_so_and_looks_at_the_rest(sample):
    checked = sample.call("check", "--json", TEMPORAL_ADDRESS="127.0.0.1:1")

    assert checked.returncode == 1
    assert [(finding["subject"], finding["ok"]) for finding in lines(checked)] == [
        ("temporal server", False),
        ("client plugins", True),
        ("store", True),
    ]


def test_a_check_for_people_is_a_table(sample):
    checked = sample.call("check", SAMPLE_WORKER_REFUSE="true")

    assert checked.returncode == 1
    assert "AMISS" in checked.stdout


def test_config_show_tells_programs_what_the_service_is(sample):
    shown = json.loads(sample.call("config", "show", "--json", SAMPLE_WORKER_STORE__PASSWORD="hunter2").stdout)

    assert shown.pop("limits")["shortest_heartbeat_timeout_s"] == 10
    assert {one["key"] for one in shown.pop("problems")} == {"worker.graceful_shutdown_s"}
    assert {k: v for k, v in shown.items() if k != "settings"} == {
        "service": "sample-worker",
        "summary": "Naps.",
        "module": "sample_worker",
        "env": "dev",
        "queues": [sample.queue],
        "demo_order": 3,
        "search_attributes": {"SampleTag": "Keyword"},
    }
    assert {"key": "queue", "value": sample.queue, "source": "SAMPLE_WORKER_QUEUE"} in shown["settings"]
    assert "hunter2" not in json.dumps(shown)


def test_config_show_tells_people_where_each_value_comes_from(sample):
    shown = sample.call("config", "show", "--set", "worker.max_activities=5", COLUMNS="200")

    assert shown.returncode == 0
    assert "config/base.yaml" in shown.stdout
    assert "--set worker.max_activities" in shown.stdout


def test_config_show_without_a_terminal_breaks_no_key(sample):
    lines = sample.call("config", "show", COLUMNS="80").stdout.splitlines()

    assert "worker.sticky_schedule_to_start_timeout_s = 10.0  (default)" in lines
    assert lines[0] == f"sample-worker polls {sample.queue}"


def test_config_show_of_settings_that_do_not_hold_shows_what_there_is(sample):
    wrong = {"SAMPLE_WORKER_STORE__PASSWORD": "hunter2", "SAMPLE_WORKER_EXPECTED": "one", "TRENOVA_LOG__LEVEL": "error"}
    ended = sample.call("config", "show", "--set", "worker.profile=io", **wrong)
    told = json.loads(sample.call("config", "show", "--json", "--set", "worker.profile=io", **wrong).stdout)

    assert ended.returncode == 2
    assert "'expected'" in ended.stderr
    lines = ended.stdout.splitlines()
    assert "expected = one  (SAMPLE_WORKER_EXPECTED)" in lines
    assert "log.level = error  (TRENOVA_LOG__LEVEL)" in lines
    assert "worker.max_activities = 400  (profile io)" in lines
    assert "store.password = **********  (SAMPLE_WORKER_STORE__PASSWORD)" in lines
    assert "hunter2" not in str(told) + ended.stdout + ended.stderr
    assert "store" in told["sections"]
    assert "'expected'" in told["refusal"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--set", "worker.max_activities=many"], "sample-worker: --set worker.max_activities: "),
        (["run", "--config", "nowhere.yaml"], "sample-worker: The file 'nowhere.yaml' does not exist"),
        (["run", "--fast"], "No such option"),
        (["dance"], "No such command"),
    ],
)
def test_what_cannot_be_meant_ends_with_2(sample, arguments, message):
    ended = sample.call(*arguments)

    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_starting_imports_no_more_than_it_must(sample):
    program = (
        "import sys, sample_worker.__main__;"
        "print([m for m in ('typer', 'rich', 'aiohttp', 'psutil', 'structlog') if m in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], env=sample.environ, capture_output=True, text=True, check=True
    )

    assert ended.stdout == "[]\n"
