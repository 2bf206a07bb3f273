"""Names on the wire: workflow, activities, messages, memo keys. Only ever added to."""

from typing import Final

BACKFILL_QUEUE: Final = "system-queue"
"""Where backfills run unless their caller says otherwise."""

BACKFILL_WORKFLOW: Final = "BackfillScheduleWorkflow"
PLAN_BACKFILL_ACTIVITY: Final = "PlanScheduleBackfillActivity"
LOOK_AT_TICKS_ACTIVITY: Final = "LookAtScheduleTicksActivity"
START_TICKS_ACTIVITY: Final = "StartScheduleTicksActivity"
VERIFY_TICKS_ACTIVITY: Final = "VerifyScheduleTicksActivity"
END_BACKFILL_ACTIVITY: Final = "EndScheduleBackfillActivity"

PAUSE: Final = "pause"
RESUME: Final = "resume"
CANCEL: Final = "cancel"
CHANGE_LIMITS: Final = "changeLimits"
"""Updates, as of every long job; the first three are signals too."""

PROGRESS: Final = "progress"
"""The query, as of every long job."""

CANCELED_MEMO: Final = "trenova.canceled"
"""The memo of a backfill that was canceled with a reason: by whom and why."""

REQUEST_DIGEST: Final = "trenova.request-digest"
"""The memo of a backfill by which the same request is known."""

BACKFILL_MEMO: Final = "trenova.backfill"
"""The memo of every run that a backfill starts: a :class:`BackfillMark` as JSON."""

SCHEDULED_BY: Final = "TemporalScheduledById"
SCHEDULED_AT: Final = "TemporalScheduledStartTime"
"""Search attributes that the server gives the runs of a schedule."""
