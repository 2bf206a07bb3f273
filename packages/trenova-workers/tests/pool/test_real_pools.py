"""Pools for real: a burst, and kills at random. ``nox -s scaling`` measures the same for longer and draws it."""

import pytest
from real.burst import BurstFigures, BurstOptions, run_burst
from real.chaos import ChaosOptions, run_chaos
from real.reckoning import Reckoning
from real.verdicts import as_text

SWIFT = {"poll_s": 5, "start_s": 2, "down_cooldown_s": 32, "quiet_s": 10, "window_s": 15, "wait_target_s": 30}


def held(table, verdicts, said):
    missed = [one.what for one in verdicts if not one.holds]
    assert not missed, "\n".join([*said, "", as_text({}, table, verdicts)])


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.timeout(240)
async def test_a_burst_makes_a_pool_of_one_grow_and_shrink_and_every_attempt_counts_once(tmp_path):
    said: list[str] = []
    policy = {**SWIFT, "min_workers": 1, "max_workers": 3, "down_step": 3}
    run = await run_burst(tmp_path, BurstOptions(150, 1.5, 5, policy), said.append)
    figures = BurstFigures(run)
    held(figures.table(), figures.verdicts(), said)


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.timeout(300)
async def test_whoever_is_killed_every_workflow_completes_once_and_the_pool_comes_back(tmp_path):
    said: list[str] = []
    policy = {**SWIFT, "min_workers": 2, "max_workers": 3}
    options = ChaosOptions(seconds=35, seed=7, every_s=7, rate=2, longest_s=2, policy=policy, settle_s=80)
    reckoning = Reckoning(await run_chaos(tmp_path, options, said.append))
    held(reckoning.table(), reckoning.verdicts(), said)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_a_burst_of_two_thousand_is_started_within_the_target(tmp_path):
    said: list[str] = []
    figures = BurstFigures(await run_burst(tmp_path, BurstOptions(), said.append))
    held(figures.table(), figures.verdicts(), said)


@pytest.mark.slow
@pytest.mark.timeout(2400)
async def test_ten_minutes_of_kills_lose_nothing(tmp_path):
    said: list[str] = []
    reckoning = Reckoning(await run_chaos(tmp_path, ChaosOptions(), said.append))
    held(reckoning.table(), reckoning.verdicts(), said)
