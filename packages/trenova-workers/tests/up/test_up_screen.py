import io

import pytest

from trenova_workers._up._progress import BarsOfProgress, LinesOfProgress, progress_view
from trenova_workers._up._screen import Screen, clean
from trenova_workers._up._table import Row, workers_table


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _a_terminal_with_colours(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_each_worker_has_a_colour_of_its_own_on_a_terminal():
    out = Terminal()
    screen = Screen(out)
    screen.name(["a-worker", "b-worker"])

    screen.log("a-worker", "hello")
    screen.log("b-worker", "hello")

    assert out.getvalue() == "\x1b[36ma-worker | \x1b[0mhello\n\x1b[32mb-worker | \x1b[0mhello\n"


def test_a_worker_keeps_its_colours_but_cannot_move_the_cursor():
    out = Terminal()

    Screen(out).log("w", "\x1b[2J\x1b[31mred\x1b[0m\x1b]0;title\x07 \x1b[10Aup\x08\x9b2K\x1b")

    assert out.getvalue().endswith("\x1b[31mred\x1b[0m up2K\n")


def test_no_terminal_no_control_codes():
    out = io.StringIO()

    Screen(out).log("w", "\x1b[31mred\x1b[0m [bold]not markup[/bold]" + " long" * 100)

    assert out.getvalue() == "w  | red [bold]not markup[/bold]" + " long" * 100 + "\n"


def test_a_dumb_terminal_is_treated_as_none(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")

    assert Screen(Terminal()).plain


def test_colour_that_is_forced_does_not_reach_a_file(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = io.StringIO()

    Screen(out).say("hello")

    assert out.getvalue() == "up | hello\n"


def test_cleaning_keeps_tabs_and_every_script():
    assert clean("a\tb é 漢 \x1b[1;31mc\x1b[0m\r", colour=False) == "a\tb é 漢 c"


def test_output_that_fails_stops_nothing():
    class Gone(io.StringIO):
        def write(self, _):
            raise OSError(5, "Input/output error")

    Screen(Gone()).say("hello")


def test_output_whose_reader_went_away_stops_nothing():
    class Closed(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    screen = Screen(Closed())

    screen.say("hello")

    assert screen.console.quiet


def test_an_unknown_total_is_one_line():
    out = io.StringIO()
    view = LinesOfProgress(Screen(out))

    for done in range(10):
        view.update("w", "rows", done, None)

    assert out.getvalue() == "w  | rows: 0\n"


def test_a_terminal_gets_bars():
    out = Terminal()
    screen = Screen(out)

    with progress_view(screen) as view:
        assert isinstance(view, BarsOfProgress)
        view.update("w", "rows [of all]", 1, 2)
        view.update("w", "rows [of all]", 2, 2)

    assert "w: rows [of all]" in out.getvalue()
    assert "2/2" in out.getvalue()


def test_the_table_shows_what_was_not_reached_as_a_dash():
    out = io.StringIO()
    screen = Screen(out)

    screen.show(workers_table([Row("w", [], None, "failed", None, 1.234)], plain=True))

    assert out.getvalue().splitlines()[1].split() == ["w", "?", "-", "failed", "-", "1.23", "s"]
