"""Settings that are wrong in every way that we know: one message says what, where and what to do; nothing starts."""

import os
from dataclasses import dataclass, field

import pytest
import typer
from sample_worker.__main__ import SERVICE
from sample_worker._settings import Settings

from trenova_errors import ApplicationError, ConfigurationError, ErrorKind
from trenova_workers import load_settings
from trenova_workers._cli_service import _exit
from trenova_workers._preflight import refuse_impossible


@dataclass(frozen=True)
class Wrong:
    """A way to be wrong, and what the message has to name."""

    kind: str
    """Cases of one kind differ in detail; the command line is tried with the first of each."""
    file: str | bytes = ""
    says: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)
    mode: int = 0o600


WRONG = [
    Wrong(
        "wrong type",
        "worker: {max_activities: many}",
        ("more.yaml", "'worker.max_activities'", "valid integer", "'many'", "The default is 100"),
    ),
    Wrong("wrong type", "worker: {eager_activities: 7}", ("'worker.eager_activities'", "valid boolean", "got 7")),
    Wrong(
        "unknown key", "worker: {max_activites: 3}", ("more.yaml", "'worker.max_activites'", "'worker.max_activities'?")
    ),
    Wrong("unknown key", "wroker: {}", ("more.yaml", "'wroker'", "Did you mean 'worker'?")),
    Wrong(
        "unknown key",
        "worker: {activity_pollers: {kind: fixed, number: 3}}",
        ("'worker.activity_pollers.number'", "Known there: kind, count"),
    ),
    Wrong(
        "bad choice",
        "worker: {profile: fast}",
        ("more.yaml", "'worker.profile'", "'io', 'cpu', 'mixed', 'bulk' or 'dev'", "'fast'"),
    ),
    Wrong(
        "bad choice",
        "worker: {tuner: {kind: elastic}}",
        ("more.yaml", "'worker.tuner'", "'elastic'", "'fixed', 'resizable', 'resource', 'composite'"),
    ),
    Wrong(
        "missing choice",
        "worker: {activity_pollers: {count: 3}}",
        ("more.yaml", "'worker.activity_pollers.kind' is missing", "Set it to 'fixed' or 'autoscaling'"),
    ),
    Wrong(
        "key twice",
        "worker:\n  max_activities: 3\nlog: {}\nworker:\n  max_activities: 4\n",
        ("more.yaml", "line 4", "'worker' stands here again, and first at line 1", "Keep one of the two"),
    ),
    Wrong("key twice", "worker: {profile: io, profile: cpu}", ("line 1", "'profile' stands here again")),
    Wrong("tab", "worker:\n\tmax_activities: 3\n", ("more.yaml", "line 2", "Indent with spaces, never with tabs")),
    Wrong("not a mapping", "- worker\n", ("more.yaml", "holds a list", "must hold keys", "'max_activities: 5'")),
    Wrong("not a mapping", "worker: [1]\n", ("more.yaml", "'worker'", "got [1]")),
    Wrong("not YAML", "worker: [1\n", ("more.yaml", "line 2", "brackets and quotes must be closed")),
    Wrong("not YAML", "worker: max_activities: 3\n", ("more.yaml", "line 1", "Put each key on a line of its own")),
    Wrong(
        "out of range",
        "worker: {max_activities: 0}",
        ("more.yaml", "'worker.max_activities'", "greater than or equal to 1", "got 0"),
    ),
    Wrong("out of range", "worker: {graceful_shutdown_s: .inf}", ("'worker.graceful_shutdown_s'", "finite", "got inf")),
    Wrong("out of range", "worker: {heartbeat_interval_s: 61}", ("'worker.heartbeat_interval_s'", "60", "got 61")),
    Wrong(
        "out of range",
        "worker: {metrics: {exporter: prometheus, port: 70000}}",
        ("'worker.metrics.port'", "65535", "got 70000"),
    ),
    Wrong(
        "out of range",
        "worker: {metrics: {exporter: prometheus, buckets: {activity_execution_latency: [2, 1]}}}",
        ("'worker.metrics.buckets.activity_execution_latency'", "must rise", "got [2, 1]"),
    ),
    Wrong(
        "contradiction",
        "worker: {metrics: {exporter: prometheus, buckets: {activity_exection_latency: [1, 2]}}}",
        (
            "more.yaml",
            "'worker.metrics.buckets.activity_exection_latency'",
            "no such histogram",
            "The nearest is 'activity_execution_latency'.",
        ),
    ),
    Wrong(
        "contradiction",
        "worker: {metrics: {exporter: prometheus, tags: {host: x}}}",
        ("more.yaml", "'worker.metrics.tags.host'", "every metric has its own 'host'", "Choose another name"),
    ),
    Wrong(
        "contradiction",
        "worker: {max_activities: 4, tuner: {kind: resource}}",
        (
            "more.yaml",
            "'worker.max_activities'",
            "tuner.kind 'resource'",
            "got 4",
            "Remove it and set tuner.activities",
        ),
    ),
    Wrong(
        "contradiction",
        "worker: {activity_pollers: {kind: autoscaling, minimum: 9, maximum: 3, initial: 3}}",
        ("more.yaml", "'worker.activity_pollers.minimum'", "above maximum (3)", "got 9", "Set it to at most 3"),
    ),
    Wrong(
        "contradiction",
        "worker: {activity_pollers: {kind: autoscaling, initial: 9, maximum: 3}}",
        ("'worker.activity_pollers.initial'", "not between minimum (1) and maximum (3)", "got 9", "from 1 to 3"),
    ),
    Wrong(
        "contradiction",
        "worker: {tuner: {kind: resource, activities: {kind: resource, minimum: 9, maximum: 3}}}",
        ("'worker.tuner.activities.minimum'", "above maximum (3)", "got 9"),
    ),
    Wrong(
        "contradiction",
        "worker: {max_cached_workflows: 0, sticky_schedule_to_start_timeout_s: 5}",
        ("'worker.sticky_schedule_to_start_timeout_s'", "max_cached_workflows is 0", "got 5", "Remove it"),
    ),
    Wrong(
        "contradiction",
        "worker: {max_cached_workflows: 0, nonsticky_poll_ratio: 0.5}",
        ("'worker.nonsticky_poll_ratio'", "max_cached_workflows is 0", "got 0.5"),
    ),
    Wrong(
        "contradiction",
        "worker: {workflow_pollers: {kind: fixed, count: 1}}",
        ("'worker.workflow_pollers.count'", "no poll for workflows that are not cached", "got 1", "at least 2"),
    ),
    Wrong(
        "contradiction",
        "worker: {tuner: {kind: composite, workflow_tasks: {kind: fixed, slots: 1}}}",
        ("'worker.tuner.workflow_tasks.slots'", "got 1", "at least 2"),
    ),
    Wrong(
        "contradiction",
        "worker: {workflow_pollers: {kind: autoscaling}, nonsticky_poll_ratio: 0.5}",
        ("'worker.nonsticky_poll_ratio'", "workflow_pollers.kind is 'autoscaling'", "got 0.5"),
    ),
    Wrong(
        "contradiction",
        "worker: {eager_activities: false, eager_activities_per_task: 5}",
        ("'worker.eager_activities_per_task'", "eager_activities is false", "got 5"),
    ),
    Wrong(
        "contradiction",
        "worker: {max_heartbeat_throttle_s: 5, default_heartbeat_throttle_s: 6}",
        ("'worker.default_heartbeat_throttle_s'", "above max_heartbeat_throttle_s (5)", "got 6", "at most 5"),
    ),
    Wrong(
        "contradiction",
        "worker: {tuner: {kind: resizable, ceiling: 5}, max_activities: 6}",
        ("'worker.max_activities'", "above tuner.ceiling (5)", "got 6"),
    ),
    Wrong(
        "contradiction",
        "worker: {metrics: {exporter: otlp}}",
        ("more.yaml", "'worker.metrics.otlp_url'", "is missing while exporter is 'otlp'", "http://127.0.0.1:4317"),
    ),
    Wrong(
        "contradiction",
        "worker: {metrics: {exporter: prometheus, otlp_url: 'http://127.0.0.1:4317'}}",
        ("'worker.metrics.otlp_url'", "no effect while exporter is 'prometheus'", "Set exporter to 'otlp'"),
    ),
    Wrong(
        "more than there is",
        "worker: {max_activities: 30}\nstore: {pool_size: 20}",
        ("more.yaml", "'worker.max_activities'", "the pool has 20", "got 30", "Set it to at most 20"),
    ),
    Wrong(
        "more than there is",
        "worker: {profile: io}\nstore: {pool_size: 20}",
        ("profile io: 'worker.max_activities'", "the pool has 20", "got 400", "Set it to at most 20"),
    ),
    Wrong(
        "more than there is",
        "store: {pool_size: 20}",
        ("default: 'worker.max_activities'", "the pool has 20", "got 100", "Set it to at most 20"),
    ),
    Wrong(
        "more than there is",
        "worker: {graceful_shutdown_s: 60, container_grace_s: 60}",
        ("more.yaml", "'worker.graceful_shutdown_s'", "container_grace_s (60 s)", "got 60", "at most 50"),
    ),
    Wrong(
        "more than there is",
        "worker: {memory_limit_mib: 500, memory_per_activity_mib: 10}",
        ("'worker.max_activities'", "worker.memory_limit_mib (500 MiB)", "got 100"),
    ),
    Wrong(
        "more than there is",
        "worker: {max_heartbeat_throttle_s: 12}",
        ("more.yaml", "'worker.max_heartbeat_throttle_s'", "(10 s)", "got 12", "Set it to at most 8"),
    ),
    Wrong(
        "not UTF-8",
        b"worker: {build_id: caf\xe9}",
        ("more.yaml", "not UTF-8", "0xe9 at position 22", "Save it as UTF-8"),
    ),
    Wrong("unreadable", "worker: {}", ("more.yaml", "cannot be read", "Permission denied", "may read"), mode=0),
    Wrong(
        "variable with broken JSON",
        says=(
            "SAMPLE_WORKER_WORKER__METRICS",
            "begins like JSON and is not",
            'Correct the JSON, e.g. {"key": "value"}',
        ),
        environ={"SAMPLE_WORKER_WORKER__METRICS": '{"port": 1'},
    ),
    Wrong(
        "wrong variable",
        says=("TRENOVA_WORKER__MAX_ACTIVITIES", "'worker.max_activities'", "valid integer", "'lots'"),
        environ={"TRENOVA_WORKER__MAX_ACTIVITIES": "lots"},
    ),
    Wrong(
        "wrong variable",
        says=("SAMPLE_WORKER_WORKER__TUNER__KIND", "'worker.tuner'", "'big'"),
        environ={"SAMPLE_WORKER_WORKER__TUNER__KIND": "big"},
    ),
]

FIRST_OF_EACH_KIND = list({wrong.kind: wrong for wrong in reversed(WRONG)}.values())


def put(wrong, folder):
    file = folder / "more.yaml"
    file.write_bytes(wrong.file if isinstance(wrong.file, bytes) else wrong.file.encode())
    file.chmod(wrong.mode)
    if not wrong.mode and os.access(file, os.R_OK):
        pytest.skip("this user may read everything")
    return file


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.kind}: {wrong.says[-1]}")
def test_wrong_settings_are_told_in_one_message(wrong, tmp_path):
    file = put(wrong, tmp_path)

    with pytest.raises(ConfigurationError) as caught:
        loaded = load_settings(Settings, environ=wrong.environ, config_file=file, config_dir=tmp_path / "none")
        refuse_impossible(SERVICE, loaded.values, loaded.layers)
    message = caught.value.message
    assert [part for part in wrong.says if part not in message] == [], message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("wrong", FIRST_OF_EACH_KIND, ids=lambda wrong: wrong.kind)
def test_the_command_line_says_it_and_starts_nothing(wrong, sample):
    ended = sample.call("run", "--config", str(put(wrong, sample.folder)), **wrong.environ)

    assert ended.returncode == 2
    assert [part for part in wrong.says if part not in ended.stderr] == [], ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stdout == ""


def test_a_queue_that_is_named_twice_is_told_before_what_it_would_need(tmp_path):
    file = tmp_path / "more.yaml"
    file.write_text("more_queues: [a, a]\nstore: {pool_size: 20}")
    loaded = load_settings(Settings, environ={}, config_file=file, config_dir=tmp_path / "none")

    with pytest.raises(ConfigurationError) as caught:
        refuse_impossible(SERVICE, loaded.values, loaded.layers)
    first, connections = caught.value.message.splitlines()[1:]
    assert first.startswith(f"{file}: 'more_queues': the queue 'a' is named 2 times")
    assert first.endswith("Name each once.")
    assert "x 2 queues" in connections


def test_a_folder_in_place_of_a_file_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match=r"cannot be read: Is a directory .* must be a file"):
        load_settings(Settings, environ={}, config_file=tmp_path)


@pytest.mark.parametrize("verb", ["prepare", "demo"])
def test_the_other_verbs_that_do_something_refuse_too(sample, verb):
    ended = sample.call(verb, "--set", "store.pool_size=5")

    assert ended.returncode == 2
    assert "default: 'worker.max_activities'" in ended.stderr


def test_settings_that_do_not_fit_can_still_be_looked_at(sample):
    assert sample.call("config", "show", "--set", "store.pool_size=5").returncode == 0


@pytest.mark.parametrize(
    ("kind", "status"), [(ErrorKind.CONFIGURATION, 2), (ErrorKind.UNAVAILABLE, 2), (ErrorKind.CONFLICT, 1)]
)
def test_what_a_plugin_lacks_is_refused_by_the_kind_of_its_error(kind, status, capsys):
    class KeysError(ApplicationError):
        """An error of a plugin's own, as a codec has for its keys."""

    KeysError.kind = kind

    def verb():
        raise KeysError("There are no keys.")

    with pytest.raises(typer.Exit) as ended:
        _exit(SERVICE, verb)
    assert ended.value.exit_code == status
    assert capsys.readouterr().err == "sample-worker: There are no keys.\n"
