"""Every class right: against a scheduler that is simulated, and case by case."""

import time
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from simulated_week import BASE, END, WEEK, Plan, Scheduler, Spec

from trenova_schedules.ledger import (
    Evidence,
    Look,
    Outage,
    Overlap,
    Pause,
    Run,
    TickClass,
    VersionInForce,
    classify,
)

POLICIES = {
    "skip": Overlap.SKIP,
    "one": Overlap.BUFFER_ONE,
    "all": Overlap.BUFFER_ALL,
    "cancel": Overlap.CANCEL_OTHER,
    "terminate": Overlap.TERMINATE_OTHER,
    "allow": Overlap.ALLOW_ALL,
}
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
SPECS = st.one_of(
    st.sampled_from([5, 7, 15, 60, 240]).map(lambda every: Spec(every=every)),
    st.builds(
        Spec,
        hours=st.lists(st.integers(0, 23), min_size=1, max_size=24, unique=True).map(tuple),
        minute=st.integers(0, 59),
        zone=st.sampled_from(ZONES),
    ),
)
CATCHUPS = st.sampled_from([10, 60, 900, 7200, 86_400])


@st.composite
def plans(draw):
    minutes = draw(st.lists(st.integers(1, WEEK // 60 - 2), min_size=0, max_size=12, unique=True).map(sorted))
    times = [minute * 60 + 30.5 for minute in minutes]
    edits, outages, pauses, until = [(-0.5, draw(SPECS), draw(CATCHUPS))], [], [], 0.0
    for begin, following in zip(times, [*times[1:], WEEK - 29.5], strict=False):
        kind = draw(st.sampled_from(["edit", "outage", "pause"]))
        if begin < until:
            continue
        if kind == "edit":
            edits.append((begin, draw(SPECS), draw(CATCHUPS)))
            continue
        until = min(begin + draw(st.sampled_from([120, 1800, 6 * 3600, 30 * 3600])), following)
        (outages if kind == "outage" else pauses).append((begin, until))
    overlap = draw(st.sampled_from(sorted(POLICIES)))
    return Plan(
        seed=draw(st.integers(0, 2**32)),
        overlap=overlap,
        edits=edits,
        outages=outages,
        pauses=pauses,
        look_every=draw(st.sampled_from([600, 3600, 12 * 3600])),
        overruns=draw(st.sampled_from([0, 0.02, 0.3])),
        # Of ticks that a later one replaces, nothing tells those of which the later one was lost.
        losses=0 if overlap in {"cancel", "terminate"} else draw(st.sampled_from([0, 0.01, 0.2])),
        triggers=sorted(draw(st.lists(st.integers(1, WEEK - 60), max_size=40).map(lambda at: [t + 0.7 for t in at]))),
        before=draw(st.sampled_from([(0, 0, 0), (3, 0, 0), (0, 50, 0), (40, 400, 0), (2, 5, 3)])),
    )


def evidence_of(plan, week, *, outages=True):
    """Say what a harvest would know of the week: nothing of what the scheduler thought."""
    ends = [since for since, _, _ in plan.edits[1:]] + [None]
    return Evidence(
        runs=[
            Run(
                nominal=BASE + int(run.tick),
                started=BASE + run.started,
                closed=BASE + run.closes if run.closes <= END else None,
            )
            for run in week.runs
            if run.started <= END
        ],
        versions=[
            VersionInForce(
                from_at=int(BASE + since // 1),
                to_at=None if end is None else int(BASE + end // 1),
                overlap=POLICIES[plan.overlap],
                catchup_s=window,
            )
            for (since, _, window), end in zip(plan.edits, ends, strict=True)
        ],
        pauses=[Pause(*(int(BASE + second // 1) for second in (begin, begin, end, end))) for begin, end in plan.pauses],
        looks=[
            Look(BASE - (86_400 if any(plan.before) else 0)),
            *(Look(int(BASE + at), *counts) for at, *counts in week.looks),
        ],
        outages=[Outage(int(BASE + begin), int(BASE + end)) for begin, end in plan.outages] if outages else [],
        now=BASE + END,
    )


def told(plan, week, **options):
    ticks = sorted(week.truth)
    verdicts = classify([BASE + tick for tick in ticks], evidence_of(plan, week, **options))
    assert [verdict.at - BASE for verdict in verdicts] == ticks
    return {verdict.at - BASE: verdict for verdict in verdicts}


def right(tick, truth, week, plan):
    """What has no run shortly before the end may still begin, as far as anybody can know; so what waits or is late.

    What the counters say of the time before the week is not to be told from what they say of its beginning, nor a
    trigger that was skipped just after a run from a tick that was.
    """
    if any(plan.before) and tick <= week.looks[0][0] and truth not in {"on_time", "late", "delayed_overlap", "paused"}:
        return right(tick, truth, week, replace(plan, before=(0, 0, 0))) | {"inconclusive"}
    if truth == "real_miss" and plan.triggers and any(0 <= tick - run.closes <= 60 for run in week.runs):
        return {truth, "skipped_overlap", "inconclusive", "pending"}
    if truth not in {"real_miss", "dropped_buffer"}:
        return {truth}
    window = [window for since, _, window in plan.edits if since < tick][-1]
    if tick > END - min(60, window + 5):
        return {"pending"}
    buffered = bool(week.looks[-1][4]) and truth == "dropped_buffer" and tick > week.runs[-1].tick
    catching_up = any(run.started > END - 60 and run.started - run.tick > 60 and run.tick < tick for run in week.runs)
    return {truth, "pending"} if buffered or catching_up else {truth}


# A week is long: shrinking one costs minutes and shows little, as what is wrong names its tick.
SOME = settings(
    max_examples=200,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


@SOME
@given(plans())
def test_every_tick_of_a_week_gets_the_one_class_that_is_right(plan):
    week = Scheduler(plan).run()
    found = told(plan, week)
    wrong = {
        tick: (truth, verdict.state, verdict.reason)
        for tick, truth in week.truth.items()
        if (verdict := found[tick]).state not in right(tick, truth, week, plan)
        # Of starts that waited when a pause came, nobody can tell those that had found the buffer full.
        and not (plan.overlap == "all" and plan.pauses and verdict.state == "inconclusive" and "full" in verdict.reason)
    }
    assert not wrong


@pytest.mark.slow
@SOME
@given(plans())
def test_where_outages_are_not_known_no_miss_is_hidden_and_none_is_made_up(plan):
    if plan.overlap in {"cancel", "terminate"}:
        return  # the server counts nothing of what they replace
    week = Scheduler(plan).run()
    found = told(plan, week, outages=False)
    wrong = {
        tick: (truth, verdict.state, verdict.reason)
        for tick, truth in week.truth.items()
        if (verdict := found[tick]).state not in right(tick, truth, week, plan) | {"inconclusive"}
    }
    assert not wrong


def test_ten_thousand_ticks_are_classified_in_a_second():
    ticks = range(BASE, BASE + 100_000 * 60, 60)
    runs = [Run(tick, tick + 0.2, tick + (30 if tick % 7 else 500)) for tick in ticks if tick % 11]
    versions = [VersionInForce(BASE - 1, None, Overlap.BUFFER_ONE, 60)]
    looks = [Look(at) for at in range(BASE, ticks[-1] + 3600, 3600)]
    begin = time.perf_counter()
    verdicts = classify(ticks, Evidence(runs=runs, versions=versions, looks=looks, now=ticks[-1] + 3600))
    rate = len(ticks) / (time.perf_counter() - begin)
    assert Counter(verdict.state for verdict in verdicts).total() == 100_000
    assert rate > 10_000, f"{rate:,.0f} ticks/s"


def one(tick=600, *, runs=(), overlap=Overlap.SKIP, now=10_000, **known):
    given = {"versions": [VersionInForce(0, None, overlap, 300)], "looks": [Look(0), Look(now)], **known}
    (verdict,) = classify([tick], Evidence(runs=runs, now=now, **given))
    return verdict.state, verdict.reason


LONG = {"runs": [Run(500, 500, None)], "overlap": Overlap.BUFFER_ALL}
WAITED = {"runs": [Run(500, 500, 650), Run(600, 651, None)]}
ENDED = {"runs": [Run(500, 500, 600)]}
BACKFILLED = Run(600, 5000, 5001, backfilled=True)


@pytest.mark.parametrize(
    ("known", "state", "reason"),
    [
        ({"runs": [Run(600, 660, None)]}, "on_time", ""),
        ({"runs": [Run(600, 661, None)]}, "late", "began 1 min 1 s after its time"),
        ({"runs": [Run(600, 899, None)], "margin_s": 300}, "on_time", ""),
        ({"now": 659}, "pending", ""),
        ({"now": 599, "runs_from": 9999}, "pending", ""),
        ({}, "real_miss", "counted nothing"),
        ({"looks": []}, "inconclusive", "nobody has looked at the counters"),
        ({"looks": [Look(0), Look(9000, missed_catchup=1)]}, "missed_catchup", "by the server's count"),
        ({"looks": [Look(0), Look(9000, buffer_dropped=1)]}, "real_miss", "counted nothing"),
        ({"looks": [Look(0), Look(601), Look(9000, missed_catchup=1)]}, "missed_catchup", "by the server's count"),
        ({"versions": [VersionInForce(0, 599), VersionInForce(700, None)]}, "inconclusive", "specification"),
        ({"versions": [VersionInForce(0, 600), VersionInForce(600, None)]}, "inconclusive", "specification"),
        ({"runs_from": 601}, "inconclusive", "no longer kept"),
        ({"pauses": [Pause(500, 599, 601, 700)]}, "paused", ""),
        ({"pauses": [Pause(500, 650, 660, 700)]}, "inconclusive", "paused or resumed"),
        ({"pauses": [Pause(500, 650, None, None)]}, "inconclusive", "paused or resumed"),
        ({"pauses": [Pause(500, 500, 599, 599)]}, "inconclusive", "paused or resumed"),
        ({"pauses": [Pause(500, 500, 590, 590)]}, "real_miss", "counted nothing"),
        ({"outages": [Outage(550, 950)]}, "missed_catchup", "for 5 min 50 s, and the catch-up window is 5 min"),
        ({"outages": [Outage(550, None)], "now": 800}, "pending", "nothing can start it"),
        ({"outages": [Outage(550, None)]}, "missed_catchup", "nothing could start it"),
        ({"runs": [Run(500, 500, 601)]}, "skipped_overlap", "another run was under way"),
        ({"runs": [Run(500, 500, 600)]}, "real_miss", "counted nothing"),
        ({**ENDED, "looks": [Look(0), Look(9000, skipped_overlap=1)]}, "skipped_overlap", "noticed"),
        ({**ENDED, "looks": [Look(0), Look(9000, 1, 1)]}, "missed_catchup", "by the server's count"),
        ({**LONG, "looks": [Look(0), Look(9000, buffer_size=1)]}, "pending", "at most 1"),
        ({**LONG, "looks": [Look(0), Look(9000, buffer_dropped=1)]}, "dropped_buffer", "by the server's count"),
        ({**WAITED, "overlap": Overlap.BUFFER_ONE}, "delayed_overlap", "waited 51 s"),
        ({**WAITED, "overlap": Overlap.SKIP}, "on_time", ""),
        ({"runs": [BACKFILLED]}, "real_miss", "counted nothing that would explain it; a backfill ran it"),
        ({"runs": [BACKFILLED], "pauses": [Pause(500, 500, 700, 700)]}, "paused", "a backfill ran it"),
        ({"runs": [BACKFILLED, Run(600, 601, 602)]}, "on_time", ""),
    ],
)  # fmt: skip
def test_a_tick_has_the_class_that_is_known(known, state, reason):
    found, why = one(**known)
    assert found == state
    assert reason in why


BUSY = {"runs": [Run(510, 510, None)], "now": 10_000}


@pytest.mark.parametrize(
    ("looks", "state", "reason"),
    [
        ([Look(0), Look(9000, missed_catchup=3, skipped_overlap=5)], "inconclusive", "or missed"),
        ([Look(0), Look(9000, skipped_overlap=5)], "skipped_overlap", "under way"),
        ([Look(0), Look(550, 0, 5), Look(9000, 3, 5)], "missed_catchup", "by the server's count"),
        ([Look(0), Look(550, 1, 5), Look(9000, 1, 8)], "skipped_overlap", "under way"),
        ([Look(550, 0, 5), Look(9000, 3, 7)], "missed_catchup", "by the server's count"),
        ([Look(0), Look(550, 0, 5), Look(8000, 0, 5), Look(9000, 3, 5)], "missed_catchup", "by the server's count"),
        ([Look(9000, 3, 5)], "inconclusive", "nobody has looked"),
    ],
    ids=[
        "since creation",
        "none missed",
        "since the edit",
        "not since the edit",
        "triggers",
        "counted late",
        "no look",
    ],
)
def test_what_was_counted_before_an_edit_or_for_a_trigger_explains_no_tick_after_it(looks, state, reason):
    versions = [VersionInForce(500, None, Overlap.SKIP, 60)]
    verdicts = classify([600, 900, 1200], Evidence(**BUSY, versions=versions, looks=looks, ticks_from=100))
    assert {verdict.state for verdict in verdicts} == {state}
    assert all(reason in verdict.reason for verdict in verdicts)


@pytest.mark.parametrize(
    ("look", "state"),
    [
        (Look(9000, missed_catchup=1, skipped_overlap=1), "missed_catchup"),
        (Look(9000, missed_catchup=1), "missed_catchup"),
        (Look(9000, skipped_overlap=1), "skipped_overlap"),
        (Look(9000), "real_miss"),
    ],
)
def test_a_trigger_that_was_skipped_does_not_explain_a_tick_that_was_missed_just_after_a_run(look, state):
    found, _ = one(runs=[Run(500, 500, 590)], looks=[Look(0), look])
    assert found == state


def test_ticks_before_the_first_one_that_is_given_explain_counters_too():
    known = {"versions": [VersionInForce(0, None, Overlap.SKIP, 60)], "now": 10_000}
    looks = [Look(100), Look(9000, missed_catchup=1)]
    assert one(**known, looks=looks)[0] == "missed_catchup"
    assert one(**known, looks=looks, ticks_from=500)[0] == "inconclusive"


def test_a_late_run_belongs_to_its_jittered_tick_and_a_trigger_to_none():
    versions = [VersionInForce(0, None, Overlap.ALLOW_ALL, 300, jitter_s=40)]
    runs = [Run(600, 631.2, 640), Run(620, 620.1, 621)]
    verdicts = classify([631, 660], Evidence(runs=runs, versions=versions, looks=[Look(0), Look(9000)], now=9000))
    assert [(verdict.state, verdict.run) for verdict in verdicts] == [
        (TickClass.ON_TIME, runs[0]),
        (TickClass.REAL_MISS, None),
    ]


def test_a_run_of_a_backfill_is_in_nobodys_way_before_it_began():
    runs = [Run(600, 5000, 5001), Run(1800, 1800, 1801)]
    verdicts = classify(
        [600, 1200, 1800],
        Evidence(
            runs=runs, versions=[VersionInForce(0, None, Overlap.SKIP, 300)], looks=[Look(0), Look(9000)], now=9000
        ),
    )
    assert [verdict.state for verdict in verdicts] == ["late", "real_miss", "on_time"]


def test_a_backfilled_tick_keeps_its_class_and_carries_the_run():
    versions, looks = [VersionInForce(0, None, Overlap.SKIP, 300)], [Look(0), Look(9000)]
    (verdict,) = classify([600], Evidence(runs=[BACKFILLED], versions=versions, looks=looks, now=9000))
    assert (verdict.state, verdict.run) == (TickClass.REAL_MISS, BACKFILLED)


def test_a_backfill_is_in_the_way_of_what_comes_while_it_runs():
    versions, looks = [VersionInForce(0, None, Overlap.SKIP, 300)], [Look(0), Look(9000)]
    runs = [Run(600, 1150, 1300, backfilled=True)]
    verdicts = classify([600, 1200], Evidence(runs=runs, versions=versions, looks=looks, now=9000))
    assert [verdict.state for verdict in verdicts] == ["real_miss", "skipped_overlap"]
