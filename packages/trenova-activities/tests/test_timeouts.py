from datetime import timedelta

import trenova_activities
from trenova_activities import _names, longest_attempt, shortest_heartbeat


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
