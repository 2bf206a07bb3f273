from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError
from temporalio.client import ScheduleCalendarSpec, ScheduleIntervalSpec, ScheduleOverlapPolicy, ScheduleRange

from trenova_schedules import OWNER_MEMO, BackfillPolicy, ScheduleDefinition, ScheduleSlo

NOON = ScheduleCalendarSpec(hour=[ScheduleRange(12)])


def define(**changes: object) -> ScheduleDefinition:
    fields = {
        "id": "purge",
        "workflow": "PurgeWorkflow",
        "task_queue": "system-queue",
        "catchup_window": timedelta(hours=1),
        "owner": "system-worker",
        "cron": "0 0 * * *",
    }
    return ScheduleDefinition.model_validate({**fields, **changes})


def test_a_definition_becomes_the_schedule_that_it_says():
    definition = define(
        args=("org_1", {"dryRun": True}),
        time_zone="America/New_York",
        overlap=ScheduleOverlapPolicy.BUFFER_ONE,
        jitter=timedelta(seconds=30),
        pause_on_failure=True,
        note="Nightly",
        paused=True,
    )

    schedule = definition.to_schedule()

    assert schedule.action.workflow == "PurgeWorkflow"
    assert schedule.action.args == ["org_1", {"dryRun": True}]
    assert (schedule.action.id, schedule.action.task_queue) == ("purge", "system-queue")
    assert (schedule.spec.cron_expressions, schedule.spec.time_zone_name) == (
        ["0 0 * * *"],
        "America/New_York",
    )
    assert schedule.spec.jitter == timedelta(seconds=30)
    assert schedule.policy.overlap is ScheduleOverlapPolicy.BUFFER_ONE
    assert schedule.policy.catchup_window == timedelta(hours=1)
    assert schedule.policy.pause_on_failure
    assert (schedule.state.note, schedule.state.paused) == ("Nightly", True)
    assert dict(definition.memo) == {OWNER_MEMO: "system-worker"} == {"trenova.owner": "system-worker"}


def test_interval_and_calendar_are_the_other_two_ways_to_say_when():
    every = define(cron=None, interval=timedelta(minutes=5)).to_schedule().spec
    at = define(cron=None, calendar=NOON).to_schedule().spec

    assert (every.intervals, every.calendars) == ([ScheduleIntervalSpec(every=timedelta(minutes=5))], [])
    assert (at.calendars, at.intervals, at.cron_expressions) == ([NOON], [], [])


def test_the_defaults_are_utc_skip_no_jitter_and_running():
    schedule = define().to_schedule()

    assert schedule.spec.time_zone_name == "UTC"
    assert schedule.spec.jitter is None
    assert schedule.policy.overlap is ScheduleOverlapPolicy.SKIP
    assert not schedule.policy.pause_on_failure
    assert (schedule.state.note, schedule.state.paused) == (None, False)


@pytest.mark.parametrize(
    ("changes", "got"),
    [
        ({"cron": None}, "got none"),
        ({"interval": timedelta(hours=1)}, "got cron and interval"),
        ({"cron": None, "interval": timedelta(hours=1), "calendar": NOON}, "got interval and calendar"),
    ],
)
def test_when_is_said_exactly_once(changes, got):
    with pytest.raises(ValidationError, match=f"exactly one of cron, interval and calendar; {got}"):
        define(**changes)


@pytest.mark.parametrize(
    ("cron", "why"),
    [
        ("*/10 * * * * *", "has 6 fields; .* a sixth field for the year, not for seconds"),
        ("0 0 0 * * * *", "has 7 fields"),
        ("0 0 * *", "has 4 fields"),
        ("", "has 0 fields"),
        ("@reboot", "has 1 fields; .* or one of @annually, @daily"),
        ("@DAILY", "has 1 fields"),
        ("@every 5m", "is an interval"),
        ("CRON_TZ=Asia/Tokyo 0 0 * * *", "sets its own time zone"),
        ("0 0 * * * # nightly", "holds a comment"),
        ("0 0 13 * FRI", "fires only on days that are both"),
        ("0 0 1-7 * 1", "fires only on days that are both"),
    ],
)
def test_a_cron_that_the_server_would_read_otherwise_is_refused(cron, why):
    with pytest.raises(ValidationError, match=why) as caught:
        define(cron=cron)
    assert repr(cron) in str(caught.value)


@pytest.mark.parametrize(
    ("cron", "kept"),
    [
        ("  0  0 * * *\n", "0 0 * * *"),
        ("@daily", "@daily"),
        ("*/15 8-18 * JAN-MAR MON-FRI", "*/15 8-18 * JAN-MAR MON-FRI"),
        ("0 0 */2 * 1", "0 0 */2 * 1"),
        ("0 0 1 * *", "0 0 1 * *"),
    ],
)
def test_other_crons_are_kept_with_single_spaces(cron, kept):
    assert define(cron=cron).cron == kept


@pytest.mark.parametrize("zone", ["Mars/Base", "europe/berlin", "localtime", "../UTC", "/etc/localtime", "", "Europe"])
def test_a_time_zone_that_is_no_iana_name_is_refused(zone):
    with pytest.raises(ValidationError, match="is not an IANA name") as caught:
        define(time_zone=zone)
    assert repr(zone) in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("interval", timedelta(0), "at least one; got 0.0 s"),
        ("interval", timedelta(seconds=-5), "at least one; got -5.0 s"),
        ("interval", timedelta(seconds=1.5), "whole seconds, at least one; got 1.5 s"),
        ("catchup_window", timedelta(seconds=9), "at least 10 s, .* got 9.0 s"),
        ("jitter", timedelta(seconds=-1), "must not be negative; got -1.0 s"),
        ("id", "", "at least 1 character"),
        ("id", "x" * 901, "at most 900 characters"),
        ("owner", "", "at least 1 character"),
        ("workflow", "", "at least 1 character"),
        ("overlap", 17, "Input should be"),
        ("timezone", "UTC", "Extra inputs are not permitted"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(field, value, why):
    changes = {"cron": None} if field == "interval" else {}
    with pytest.raises(ValidationError, match=why) as caught:
        define(**changes, **{field: value})
    assert field in str(caught.value)


START = datetime(2030, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))


def test_a_start_and_an_end_are_utc_and_reach_the_schedule():
    spec = define(start_at=START, end_at=START + timedelta(seconds=1)).to_schedule().spec

    assert (spec.start_at, spec.end_at) == (
        datetime(2030, 1, 1, 10, tzinfo=UTC),
        datetime(2030, 1, 1, 10, 0, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"start_at": START, "end_at": START}, "which is not after its start"),
        ({"start_at": START, "end_at": START - timedelta(days=1)}, "Temporal takes that and never fires"),
        ({"start_at": datetime(2030, 1, 1)}, "should have timezone info"),  # noqa: DTZ001 (what is refused)
        ({"end_at": START + timedelta(microseconds=1)}, "must be whole seconds"),
        ({"labels": {"team name": "ops"}}, "ASCII letters, digits"),
        ({"labels": {"": "ops"}}, "ASCII letters, digits"),
        ({"labels": {"team": "x" * 101}}, "longer than 100"),
        ({"labels": {f"label{number}": "" for number in range(21)}}, "at most 20 labels; got 21"),
        ({"runbook": "javascript:alert(1)"}, "no address that a browser opens"),
        ({"runbook": "runbooks/purge"}, "no address that a browser opens"),
        ({"backfill": "sometimes"}, "Input should be 'each', 'collapse' or 'never'"),
        ({"slo": {"margin": timedelta(0)}}, "greater than or equal"),
        ({"slo": {"failureThreshold": 0}}, "greater than or equal"),
        ({"run_memo": {"trenova.applied": "{}"}}, "sets trenova.applied in run_memo"),
    ],
)
def test_what_is_said_beside_the_times_is_checked_too(changes, why):
    with pytest.raises(ValidationError, match=why):
        define(**changes)


def test_a_definition_says_what_is_expected_of_its_runs():
    definition = define(
        labels={"team": "ops", "area": "audit"},
        runbook="https://runbooks.test/purge",
        slo=ScheduleSlo(max_run_time=timedelta(minutes=5), failure_threshold=3),
        backfill="collapse",
    )

    assert list(definition.labels) == ["area", "team"]
    assert definition.backfill is BackfillPolicy.COLLAPSE
    assert definition.slo.model_dump(mode="json", by_alias=True) == {
        "margin": "PT1M",
        "maxRunTime": "PT5M",
        "failureThreshold": 3,
        "recoveryThreshold": 1,
    }
    assert definition.model_dump()["labels"] == {"area": "audit", "team": "ops"}
    assert (define().backfill, define().slo.margin) == (BackfillPolicy.EACH, timedelta(minutes=1))


def test_the_catch_up_window_has_no_default():
    with pytest.raises(ValidationError, match="catchup_window\n  Field required"):
        ScheduleDefinition(id="a", workflow="W", task_queue="q", owner="me", cron="@daily")


def test_a_definition_cannot_be_changed_afterwards():
    definition = define()

    with pytest.raises(ValidationError, match="frozen"):
        definition.cron = "@daily"
    with pytest.raises(TypeError):
        definition.memo[OWNER_MEMO] = "someone else"


def test_arguments_are_not_repeated_in_errors():
    with pytest.raises(ValidationError) as caught:
        define(args="hunter2", cron="nonsense")
    assert "hunter2" not in str(caught.value)
