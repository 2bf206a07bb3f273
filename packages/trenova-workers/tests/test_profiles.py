import pytest
from sample_worker._settings import Settings

from trenova_workers import WorkerOptions, WorkLimits, load_settings
from trenova_workers._tuning._checks import EnvironmentFacts, check_options
from trenova_workers._tuning._host import this_host
from trenova_workers._tuning._profiles import profile_defaults

PROFILES = ["io", "cpu", "mixed", "bulk", "dev"]
OF_THE_PLACE = {
    "profile",
    "build_id",
    "deployment",
    "graceful_shutdown_s",
    "container_grace_s",
    "memory_limit_mib",
    "memory_per_activity_mib",
    "heartbeat_interval_s",
    "history",
    "metrics",
}
"""What depends on where a worker runs, not on what it does."""


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_gives_every_option_that_tunes(profile):
    assert set(profile_defaults(profile)) == set(WorkerOptions.model_fields) - OF_THE_PLACE


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_has_nothing_amiss_on_this_machine(profile):
    host = this_host()

    found = check_options(WorkerOptions(profile=profile), WorkLimits(), EnvironmentFacts(1, host.cores, None))

    assert found == []


def test_work_that_computes_gets_processes_for_every_core():
    options = WorkerOptions(profile="cpu")

    assert options.activity_executor == "processes"
    assert options.max_activities == this_host().cores + 6


def test_what_is_told_wins_over_the_profile_and_counts_as_told():
    options = WorkerOptions(profile="io", max_activities=7)

    assert options.max_activities == 7
    assert options.max_cached_workflows == profile_defaults("io")["max_cached_workflows"]
    assert options.model_fields_set == {"profile", "max_activities"}


def test_what_a_profile_gives_contradicts_nobody():
    WorkerOptions(profile="io", tuner={"kind": "resource"})
    WorkerOptions(profile="bulk", max_cached_workflows=0, max_heartbeat_throttle_s=1, eager_activities=False)


def test_settings_say_which_values_a_profile_gave(tmp_path):
    (tmp_path / "base.yaml").write_text("worker: {profile: io, activity_pollers: {kind: autoscaling, maximum: 9}}")

    loaded = load_settings(Settings, environ={"SAMPLE_WORKER_WORKER__MAX_ACTIVITIES": "50"}, config_dir=tmp_path)
    shown = {setting["key"]: (setting["value"], setting["source"]) for setting in loaded.describe()}

    assert shown["worker.profile"] == ("io", "base.yaml" if not tmp_path.name else f"{tmp_path.name}/base.yaml")
    assert shown["worker.max_activities"] == (50, "SAMPLE_WORKER_WORKER__MAX_ACTIVITIES")
    assert shown["worker.max_local_activities"] == (200, "profile io")
    assert shown["worker.workflow_pollers.count"] == (5, "profile io")
    assert shown["worker.activity_pollers.maximum"] == (9, f"{tmp_path.name}/base.yaml")
    assert shown["worker.heartbeat_interval_s"] == (5.0, "default")
