import json

from trenova_workers import DemoRun
from trenova_workers._reporters import json_lines, terminal


def test_a_difference_is_reported_and_remembered():
    events = []
    run = DemoRun(client=None, token="t", report=events.append)

    assert run.check("copies", expected=50, actual=50)
    assert not run.check("notifications", expected=1, actual=0)

    assert run.failed == ["notifications"]
    assert [event["ok"] for event in events] == [True, False]


def test_lines_for_programs_come_at_once(capsys):
    with json_lines() as report:
        DemoRun(client=None, token="t", report=report).progress("copies", 1, 2)
        assert json.loads(capsys.readouterr().out)["done"] == 1


def test_brackets_are_shown_as_they_are(capsys):
    with terminal() as report:
        run = DemoRun(client=None, token="t", report=report)
        run.check("a [bold]name", expected="[x]", actual="[y]")
        run.summary("[red]done")

    out = capsys.readouterr().out
    assert "a [bold]name" in out
    assert "[x]" in out
    assert "DIFFERS" in out
    assert "[red]done" in out
