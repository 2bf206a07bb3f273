from datetime import UTC, datetime, timedelta

import pytest

from trenova_workers.deploy import DeploymentStatus, VersionStatus
from trenova_workers.pool._carried import Carried
from trenova_workers.pool._sights import WHOLE, Sight, shared_out, sights_of
from trenova_workers.pool._versions import NeededVersion
from trenova_workers.pool.store import PoolPhase, PoolState
from trenova_workers.scaling import Observation, ScalingPolicy, ScalingState, WorkerCounts, decide

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def version(build, state, **told):
    load = {"backlog": 0, "backlog_age_s": 0.0, "arrival_rate": 0.0, "dispatch_rate": 0.0, "open_runs": 0}
    return VersionStatus(build_id=build, state=state, created=NOW, **{**load, **told})


def seen(*versions, current=None, build="2", there=(), since=None):
    status = DeploymentStatus(name="ship", current=current, versions=versions)
    return sights_of(status, build=build, there=there, at=NOW, since=since or {})


def test_the_current_version_leads_and_each_has_its_share_of_new_work():
    found = seen(version("2", "ramping", percent=10.0), version("1", "current", percent=90.0), current="1")

    assert list(found) == ["1", "2"]
    assert {one: (sight.leads, sight.share) for one, sight in found.items()} == {"1": (True, 90.0), "2": (False, 10.0)}


def test_before_the_first_promotion_the_build_of_the_pool_leads():
    found = seen(build="1")

    assert (found["1"].leads, found["1"].share, found["1"].told, found["1"].least) == (True, 100.0, "created", 1)
    assert found["1"].figures.backlog == 0


def test_a_version_with_a_backlog_is_kept_although_nothing_else_needs_it():
    found = seen(version("2", "current"), version("1", "drained", backlog=3, backlog_age_s=9.0), current="2")

    assert (found["1"].state, found["1"].figures.backlog, found["1"].least) == ("drained", 3, 0)


def test_a_version_that_was_passed_over_or_has_drained_may_go():
    """The law takes the last worker of such a version away, and keeps that of any other."""
    old, new = version("1", "draining"), version("2", "current", percent=100.0)

    assert seen(new, old, current="2", there=["1"])["1"].state == "drained"
    assert seen(new, version("1", "draining", open_runs=2), current="2")["1"].state == "draining"
    assert seen(new, version("1", "drained", open_runs=2), current="2")["1"].state == "draining"
    assert list(seen(new, old, current="2")) == ["2"]


def test_a_version_that_the_server_has_forgotten_has_nothing_to_do():
    figures = seen(version("2", "current"), current="2", there=["1"])["1"].figures

    assert (figures.read_at, figures.backlog, figures.open_workflows) == (NOW, 0, 0)


def test_figures_that_the_server_repeats_are_as_old_as_when_it_first_said_them():
    before = NOW - timedelta(seconds=4)
    found = seen(version("2", "current"), version("1", "draining", open_runs=1), current="2", since={"1": before})

    assert (found["1"].figures.read_at, found["2"].figures.read_at) == (before, NOW)


def test_where_the_versions_cannot_be_read_all_stay_as_they_are():
    found = sights_of(None, build="2", there=["1"], at=NOW, since={})

    for sight in found.values():
        observation = Observation(
            pool="ship",
            at=NOW,
            read_at=sight.figures.read_at,
            backlog=sight.figures.backlog,
            backlog_age_s=None,
            arrival_rate=None,
            dispatch_rate=None,
            workers=WorkerCounts(running=0, planned=0),
            version_state=sight.state,
        )
        policy = sight.policy(ScalingPolicy(min_workers=3))
        assert decide(observation, ScalingState(), policy).desired == 0


def sights(**least):
    return {
        build: Sight(build, needed=NeededVersion(build, count, "") if count else None) for build, count in least.items()
    }


@pytest.mark.parametrize(
    ("wanted", "allowed", "shares"),
    [
        ({"new": 5, "old": 2}, 10, {"new": 5, "old": 2}),
        ({"new": 5, "old": 2}, 4, {"new": 3, "old": 1}),
        ({"new": 5, "old": 2}, 1, {"new": 1, "old": 1}),  # a version is not left without its worker
        ({"new": 0, "old": 2}, 2, {"new": 0, "old": 2}),
    ],
)
def test_a_version_has_what_it_needs_at_least_and_the_rest_goes_by_rank(wanted, allowed, shares):
    assert shared_out(wanted, sights(new=1, old=1), allowed) == shares


def test_what_a_manager_left_before_there_were_parts_is_that_of_the_whole_pool():
    law = ScalingState(capacity=4.0).model_dump(mode="json")
    state = PoolState(pool="p", phase=PoolPhase.STEADY, why="", desired=3, written=3, carried={"law": law})

    part = Carried.of(state).parts[WHOLE]

    assert (part.desired, part.law.capacity) == (3, 4.0)


def test_a_new_version_begins_with_what_one_worker_of_the_version_before_does():
    carried = Carried().with_parts({"1": Carried().part("1").model_copy(update={"law": ScalingState(capacity=4.0)})})

    assert carried.part("2").law == ScalingState(capacity=4.0)
