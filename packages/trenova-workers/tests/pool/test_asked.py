from datetime import UTC, datetime

import pytest
from pool_site import wanting

from trenova_workers.pool._asked import Asked
from trenova_workers.pool._sights import WHOLE, Sight
from trenova_workers.scaling import Observation, ScalingPolicy, ScalingState, WorkerCounts

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "desired", "why", "action", "said"),
    [
        (3, 2, "Gives back 1 by draining.", "down", "Gives back 1 by draining. By itself: The test wants 3."),
        (7, 3, "Nothing is free.", "hold", "Nothing is free. By itself: The test wants 7."),
        (4, 4, "", "up", "The test wants 4."),
    ],
)
def test_action_numbers_and_sentence_of_what_is_kept_are_of_what_the_pool_gets(asked, desired, why, action, said):
    counts = WorkerCounts(running=3, starting=0, draining=0, planned=3)
    load = {"backlog": 0.0, "backlog_age_s": 0.0, "arrival_rate": 0.0, "dispatch_rate": 0.0}
    seen = Observation(pool="a", at=NOW, read_at=NOW, workers=counts, slots_used=None, slots=None, **load)
    decision = wanting(asked)(seen, ScalingState(), ScalingPolicy())
    kept = Asked("a", {WHOLE: decision}, {WHOLE: Sight()}, 10).kept(
        WHOLE, before=3, desired=desired, why=why, missing=()
    )
    assert (kept.before, kept.desired, kept.action, kept.why) == (3, desired, action, said)
