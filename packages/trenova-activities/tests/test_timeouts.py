from datetime import timedelta
from pathlib import Path

import trenova_activities
from trenova_activities import _names, longest_attempt, shortest_heartbeat
from trenova_activities._timeouts import _OF_ACTIVITY, LAST_WORDS

PAGE = Path(__file__).parents[3] / "docs" / "timeouts-and-rates.md"


def test_every_activity_has_its_timeouts():
    names = [value for name, value in vars(_names).items() if name.endswith("_ACTIVITY")]

    assert len(names) >= 6
    for name in names:
        assert longest_attempt(name) > timedelta(0)


def test_the_longest_attempt_and_the_shortest_silence_of_several_are_those_of_the_strictest():
    duplicate, notify = trenova_activities.DUPLICATE_SHIPMENT_ACTIVITY, trenova_activities.JOB_NOTIFICATION_ACTIVITY

    assert longest_attempt(duplicate, notify) == longest_attempt(duplicate) == timedelta(minutes=2)
    assert shortest_heartbeat(duplicate, notify) == timedelta(seconds=10)
    assert shortest_heartbeat(trenova_activities.EMAIL_DELIVERY_ACTIVITY) == timedelta(seconds=20)


def words(duration):
    seconds = int(duration.total_seconds())
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def line(activities, options):
    retries = options["retry_policy"]
    cells = (
        ", ".join(f"`{name}`" for name in activities),
        words(options["start_to_close_timeout"]),
        words(options["heartbeat_timeout"]),
        words(options["schedule_to_close_timeout"]),
        str(retries.maximum_attempts or "any number"),
        f"{words(retries.initial_interval)} to {words(retries.maximum_interval)}",
    )
    return f"| {' | '.join(cells)} |"


def test_the_page_has_the_timeouts_of_every_activity():
    kinds = {}
    for name, options in sorted(_OF_ACTIVITY.items()):
        kinds.setdefault(line([], options), []).append(name)
    lines = [line(names, _OF_ACTIVITY[names[0]]) for names in kinds.values()]
    last = line([], LAST_WORDS).replace("|  |", "| finding out whom to tell that a nightly run failed |")
    head = "| activity | one attempt | silence | in all | attempts | pauses |\n|---|---:|---:|---:|---:|---|"
    shown = PAGE.read_text().partition("<!-- timeouts: begin -->")[2].partition("<!-- timeouts: end -->")[0]

    assert shown.strip() == "\n".join([head, *sorted(lines), last])
