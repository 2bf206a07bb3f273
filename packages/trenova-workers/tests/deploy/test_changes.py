"""Ramp, promote and roll back, on a real server with workers of two releases."""

import asyncio

import pytest
from releases import NEW, OLD

from trenova_errors import ConfigurationError
from trenova_workers.deploy import DeploymentConflictError, DeploymentRefusedError, Operator

pytestmark = pytest.mark.integration


async def test_pinned_runs_end_where_they_began_and_others_move_with_the_ramp(two):
    ships, tracks = await two.begin("Ship", 4, "ship"), await two.begin("Track", 4, "track")
    await two.on("1.0", 8)

    shares = [(await two.operator.ramp("2.0", percent, reason="try")).percent for percent in (10, 50, 100)]
    later = await two.begin("Ship", 3, "later")
    promoted = await two.operator.promote("2.0")
    status = await two.status()

    assert shares == [10, 50, 100]
    assert (status.current, status.ramping) == ("2.0", None)
    assert [(one.build_id, one.percent) for one in status.versions] == [("2.0", 100), ("1.0", 0)]
    assert "keep at least one worker of it" in promoted.warnings[0]
    assert await two.end(ships) == ["1.0"] * 4
    assert await two.end(tracks) == ["2.0"] * 4
    assert await two.end(later) == ["2.0"] * 3


async def test_asking_again_changes_nothing(two):
    first = await two.operator.ramp("2.0", 10, reason="canary")
    again = await two.operator.ramp("2.0", 10)
    assert (first.done, again.done) == (True, False)
    assert first.revision == again.revision == (await two.status()).revision

    back = await two.operator.rollback(reason="too slow")
    once_more = await two.operator.rollback()
    status = await two.status()

    assert (back.done, once_more.done) == (True, False)
    assert (status.current, status.ramping) == ("1.0", None)
    assert [(one.change.action, one.change.reason, one.change.by) for one in status.versions] == [
        ("rollback", "too slow", "alice@desk")
    ] * 2


async def test_a_promotion_is_rolled_back_once_and_not_further(two):
    await two.operator.promote("2.0")
    dry = await two.operator.rollback(dry_run=True)
    assert (dry.current, dry.done) == ("1.0", False)
    assert (await two.status()).current == "2.0"

    assert (await two.operator.rollback()).done
    assert not (await two.operator.rollback()).done
    assert (await two.status()).current == "1.0"


async def test_nothing_is_sent_to_a_version_without_workers(two):
    await two.stop("2.0")

    with pytest.raises(DeploymentRefusedError, match=r"No worker of 2\.0 runs.*worker\.build_id: 2\.0"):
        await two.operator.ramp("2.0", 10)
    with pytest.raises(DeploymentRefusedError, match=r"No worker of 2\.0 runs"):
        await two.operator.promote("2.0")
    with pytest.raises(ConfigurationError, match=r"no version '3\.0'; known are 2\.0, 1\.0"):
        await two.operator.ramp("3.0", 10)
    status = await two.status()
    assert (status.current, status.ramping) == ("1.0", None)

    await two.start("2.0", NEW)
    assert (await two.operator.ramp("2.0", 10)).done


async def test_the_rest_of_a_ramp_needs_workers_too(two):
    await two.stop("1.0")

    with pytest.raises(DeploymentRefusedError, match=r"No worker of 1\.0, which is current, runs, and 90 %"):
        await two.operator.ramp("2.0", 10)
    assert (await two.operator.promote("2.0")).done

    with pytest.raises(DeploymentRefusedError, match=r"No worker of 1\.0 runs, so what goes back"):
        await two.operator.rollback()
    await two.start("1.0", OLD)
    assert (await two.operator.rollback()).done


@pytest.mark.slow
async def test_the_rest_of_a_ramp_needs_workers_where_nothing_is_current_too(site):
    """Two releases run and nobody promoted one: what does not ramp goes to unversioned workers."""
    await site.start("1.0", OLD)
    await site.start("2.0", NEW)
    assert (await site.status()).unversioned == {site.name: 0}

    with pytest.raises(
        DeploymentRefusedError, match=r"no unversioned worker polls.*90 % of the work.*Promote 1\.0 first"
    ):
        await site.operator.ramp("2.0", 10)
    assert (await site.operator.promote("1.0")).done
    assert (await site.operator.ramp("2.0", 10)).done


async def test_of_two_operators_at_once_one_is_refused(two):
    """Both have read the same routing; whoever comes second would undo the first."""
    bob = Operator(two.client, two.name, by="bob@desk")
    reads = asyncio.Barrier(2)

    async def slowly(operator, percent):
        read = operator.reader.read_with_token

        async def together():
            found = await read()
            await reads.wait()
            return found

        operator.reader.read_with_token = together
        return await operator.ramp("2.0", percent)

    results = await asyncio.gather(slowly(two.operator, 10), slowly(bob, 50), return_exceptions=True)

    refused = [one for one in results if isinstance(one, DeploymentConflictError)]
    (made,) = [one for one in results if not isinstance(one, Exception)]
    assert len(refused) == 1
    assert "somebody else has changed" in refused[0].message
    assert (await two.status()).percent == made.percent


async def test_a_change_for_another_routing_than_there_is_is_refused(two):
    seen = (await two.status()).revision
    await Operator(two.client, two.name, by="bob@desk").ramp("2.0", 10)

    with pytest.raises(DeploymentConflictError, match=r"bob@desk has changed.*ramping 2\.0 \(10 %\)"):
        await two.operator.promote("2.0", revision=seen)


async def test_the_status_says_who_serves_what(two):
    await two.begin("Ship", 3, "ship")
    await two.on("1.0", 3)
    status = await two.status()
    old, new = status.version("1.0"), status.version("2.0")

    assert (old.state, old.open_runs, old.workers) == ("current", 3, {two.name: 1})
    assert (new.state, new.open_runs, new.workers, new.percent) == ("inactive", 0, {two.name: 1}, 0)
    assert old.change.reason == "first"
    assert new.change is None
