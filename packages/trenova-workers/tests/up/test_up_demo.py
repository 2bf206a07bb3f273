import re
import signal


def test_the_demos_run_in_their_order_and_end_in_one_comparison(stage):
    stage.add("a-worker", demo_order=2)
    stage.add("b-worker", demo_order=1)

    up = stage.up(demo=True)

    assert up.end() == 0
    assert [note["name"] for note in stage.notes(verb="demo", what="begins")] == ["b-worker", "a-worker"]
    assert re.search(
        r"^check +asked for +found +ok *\n"
        r"b-worker copies +50 +50 +yes *\n"
        r"a-worker copies +50 +50 +yes *\n"
        r"Demo \w{8}: 2 checks agree \(2 workers, [\d.]+ s\)\. b-worker made 50 copies a-worker made 50 copies$",
        up.printed,
        re.MULTILINE,
    )
    assert "a-worker | a-worker made 50 copies" in up.printed
    assert up.printed.index("checks agree") < up.printed.index("stopping") < up.printed.index("stopped in")
    assert stage.notes(verb="run", what="ends")


def test_progress_without_a_terminal_is_a_line_at_every_tenth(stage):
    stage.add("some-worker", items=1000)

    up = stage.up(demo=True)

    assert up.end() == 0
    lines = re.findall(r"^some-worker \| items: .*", up.printed, re.MULTILINE)
    assert len(lines) == 11
    assert lines[1] == "some-worker | items: 100 of 1000 (10 %)"


def test_a_check_that_disagrees_makes_the_status_1_and_the_other_demos_still_run(stage):
    wrong = {"name": "copies in the database", "expected": 50, "actual": 49, "ok": False}
    stage.add("a-worker", checks=[wrong])
    stage.add("b-worker")

    up = stage.up(demo=True)

    assert up.end() == 1
    assert re.search(r"^copies in the database +50 +49 +NO", up.printed, re.MULTILINE)
    assert re.search(r"^b-worker copies +50 +50 +yes", up.printed, re.MULTILINE)
    assert "1 of 2 checks disagree" in up.printed


def test_a_demo_that_does_not_finish_is_a_check_that_disagrees(stage):
    stage.add("a-worker", demo_exits=4)
    stage.add("b-worker")

    up = stage.up(demo=True)

    assert up.end() == 1
    assert re.search(r"^demo of a-worker finishes +status 0 +ended with status 4 +NO", up.printed, re.MULTILINE)
    assert not stage.notes(name="b-worker", verb="demo")


def test_a_demo_that_falls_silent_is_killed(stage):
    stage.add("some-worker", demo_takes=60)

    up = stage.up(demo=True, limits={"demo_silence": 0.5})

    assert up.end() == 1
    assert "killed after 0.5 s without a sign of life" in up.printed


def test_a_demo_without_a_check_shows_nothing_and_fails(stage):
    stage.add("some-worker", checks=[])

    up = stage.up(demo=True)

    assert up.end() == 1
    assert "no worker checked anything" in up.printed


def test_keep_stays_up_after_the_demo(stage):
    stage.add("some-worker")
    up = stage.up(demo=True, keep=True)

    up.until("1 check agrees")

    assert up.process.poll() is None
    assert up.end(signal.SIGTERM) == 0


def test_a_demo_that_is_interrupted_is_no_success(stage, gone):
    stage.add("some-worker", demo_takes=60)
    up = stage.up(demo=True)
    up.until("100 %")
    family = up.family()

    assert up.end(signal.SIGINT) == 1
    gone(family, limit=0.1)


def test_no_demo_runs_while_a_worker_is_missing(stage):
    stage.add("good-worker")
    stage.add("bad-worker", crashes=True)

    up = stage.up(demo=True, limits={"first_delay": 0.05, "crashes": 2})

    assert up.end() == 1
    assert "demo not run: bad-worker not ready" in up.printed
    assert not stage.notes(verb="demo")


def test_the_token_is_the_same_for_all_and_new_each_time(stage):
    stage.add("a-worker")
    stage.add("b-worker")
    tokens = set()

    for _ in range(2):
        up = stage.up(demo=True)
        assert up.end() == 0
        shown = set(re.findall(r"demo of \S+ \((\w+)\)", up.printed))
        assert len(shown) == 1
        tokens |= shown

    assert len(tokens) == 2
