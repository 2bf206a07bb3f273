import pytest
from pydantic import ValidationError

from trenova_workers.deploy import Counts, RolloutOptions, RolloutThresholds, judge
from trenova_workers.deploy._outcomes import ACTIVITIES, RUNS, WORKFLOW_TASKS
from trenova_workers.deploy._verdict import at_least, reference

USUAL = RolloutThresholds()


def runs(bad, total):
    return {RUNS: Counts(total, bad)}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (runs(0, 200), runs(0, 20), "well"),
        (runs(0, 200), runs(0, 19), "few"),
        (runs(0, 200), runs(19, 19), "few"),
        (runs(0, 200), runs(20, 20), "worse"),
        (runs(0, 200), runs(2, 20), "well"),  # may be chance: surely above 3 % only
        (runs(0, 200), runs(4, 20), "worse"),
        (runs(0, 200), runs(20, 200), "worse"),
        (runs(40, 200), runs(4, 20), "well"),  # the old one fails as often
        (runs(40, 200), runs(12, 20), "worse"),
        ({}, runs(0, 20), "well"),
        ({}, {}, "few"),
        (runs(0, 200), {RUNS: Counts(30, 0), WORKFLOW_TASKS: Counts(60, 30)}, "worse"),
        (runs(0, 200), {RUNS: Counts(0, 0), WORKFLOW_TASKS: Counts(60, 60)}, "worse"),  # hung runs do not end
        (runs(0, 200), {RUNS: Counts(3, 0), WORKFLOW_TASKS: Counts(60, 0)}, "few"),  # runs may yet fail
        ({ACTIVITIES: Counts(90, 45)}, {RUNS: Counts(30, 0), ACTIVITIES: Counts(30, 15)}, "well"),
    ],
)
def test_what_figures_say(old, new, says):
    assert judge(old, new, USUAL).says == says


def test_the_sentence_has_the_figures_and_the_threshold():
    verdict = judge(runs(1, 200), runs(10, 20), USUAL)

    assert verdict.why == (
        "10 of 20 runs ended badly on the new version, 1 of 200 on the old one: "
        "a rise of more than 5 points (error rise)."
    )


def test_a_higher_threshold_bears_more():
    assert judge(runs(0, 200), runs(8, 20), RolloutThresholds(error_rise=0.5)).says == "well"
    assert judge(runs(0, 200), runs(3, 3), RolloutThresholds(samples=3)).says == "worse"


def test_what_there_surely_is_is_below_what_was_seen_and_grows_with_it():
    few, more, many = (at_least(Counts(n, n // 4)) for n in (8, 80, 8000))
    assert 0 < few < more < many < 0.25
    assert at_least(Counts(50, 0)) == at_least(Counts()) == 0


def test_an_old_version_without_new_work_is_known_by_its_past():
    """At 100 % nothing ends on the old version; a failure that both have would look like the new one's."""
    past = {RUNS: Counts(400, 80), WORKFLOW_TASKS: Counts(900, 0)}
    now = {RUNS: Counts(3, 0), WORKFLOW_TASKS: Counts(50, 1)}
    known = reference(now, past, 20)

    assert known == {RUNS: Counts(400, 80), WORKFLOW_TASKS: Counts(50, 1), ACTIVITIES: Counts()}
    assert judge(known, runs(6, 30), USUAL).says == "well"
    assert judge(now, runs(6, 30), USUAL).says == "worse"


def test_counts_never_fall_below_nothing():
    assert Counts(5, 1).since(Counts(9, 3)) == Counts(0, 0)
    assert Counts(12, 9).since(Counts(10, 1)) == Counts(2, 2)


@pytest.mark.parametrize("steps", [(), (50, 10), (10, 10), (0, 50), (50, 101)])
def test_steps_go_up_within_percents(steps):
    with pytest.raises(ValidationError, match="steps are percentages above 0"):
        RolloutOptions(steps=steps)


def test_the_longest_bake_is_the_longer_one():
    with pytest.raises(ValidationError, match="longest_bake_s"):
        RolloutOptions(bake_s=10, longest_bake_s=5)
