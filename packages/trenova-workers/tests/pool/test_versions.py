from datetime import UTC, datetime, timedelta

import pytest

from trenova_workers.deploy import DeploymentStatus, VersionStatus
from trenova_workers.pool._versions import needed_versions

AT = datetime(2026, 11, 27, tzinfo=UTC)


def version(number, state, *, runs=0, created=None):
    created = AT + timedelta(days=number) if created is None else created
    return VersionStatus(build_id=f"{number}.0", state=state, open_runs=runs, created=created)


def needed(*versions, current=None, build=None):
    status = DeploymentStatus(name="ship", current=current, versions=versions)
    return {one.build_id: one for one in needed_versions(status, build=build)}


def test_what_gets_new_work_is_never_without_a_worker():
    found = needed(version(3, "ramping"), version(2, "current"), version(1, "drained"), current="2.0")

    assert set(found) == {"3.0", "2.0"}
    assert {one.least for one in found.values()} == {1}
    assert found["3.0"].why == "3.0 is ramping: new work goes to it."


@pytest.mark.parametrize(
    ("state", "runs", "is_needed"),
    [
        ("draining", 4, True),
        ("draining", 0, False),
        ("draining", None, True),  # nobody knows: not to zero
        ("drained", 0, False),
        ("drained", 2, True),  # the server does not count runs that were pinned by hand
        ("drained", None, False),
        ("inactive", 1, True),
    ],
)
def test_an_old_version_is_needed_while_it_has_open_runs(state, runs, is_needed):
    found = needed(version(2, "current"), version(1, state, runs=runs), current="2.0")

    assert ("1.0" in found) == is_needed


def test_what_awaits_promotion_is_needed_and_what_was_passed_over_is_not():
    """A version at zero has no pollers, and one without pollers is never promoted."""
    found = needed(version(3, "inactive"), version(2, "current"), version(1, "inactive"), current="2.0")

    assert set(found) == {"3.0", "2.0"}
    assert "awaits promotion" in found["3.0"].why


def test_the_build_of_the_pool_is_needed_before_the_server_knows_it():
    assert set(needed(version(2, "current"), current="2.0", build="3.0")) == {"2.0", "3.0"}
    assert set(needed(version(2, "current"), version(1, "inactive"), current="2.0", build="1.0")) == {"2.0", "1.0"}
    assert set(needed(version(2, "current"), version(1, "drained"), current="2.0", build="1.0")) == {"2.0"}


def test_before_the_first_promotion_all_wait_for_it():
    assert set(needed(version(2, "created"), version(1, "inactive"))) == {"2.0", "1.0"}
    assert set(needed(build="1.0")) == {"1.0"}
