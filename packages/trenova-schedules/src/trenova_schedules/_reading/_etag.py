"""One short text for everything about a schedule that somebody can change."""

import hashlib
from typing import Final

from temporalio.api.schedule.v1 import Schedule
from temporalio.api.workflowservice.v1 import DescribeScheduleResponse

TRIGGER_MEMO: Final = "trenova.trigger"
"""Memo key of the runs: the nominal second of the last trigger by hand. Not a change that anybody has to look at."""

_OF_THE_SERVER: Final = "Temporal"
_LENGTH: Final = 32


def etag_of(raw: DescribeScheduleResponse) -> str:
    """Return a digest of what the answer says of the schedule, 32 hexadecimal characters.

    The conflict token is left out although every write changes it: so does every tick of a schedule with a limited
    number of actions, and on the CHASM scheduler every trigger. What is in the digest changes with writes only.
    """
    schedule = Schedule()
    schedule.CopyFrom(raw.schedule)
    schedule.state.remaining_actions = 0
    schedule.action.start_workflow.memo.fields.pop(TRIGGER_MEMO, None)
    digest = hashlib.sha256(schedule.SerializeToString(deterministic=True))
    for fields in (raw.memo.fields, raw.search_attributes.indexed_fields):
        for name in sorted(name for name in fields if not name.startswith(_OF_THE_SERVER)):
            payload = fields[name].SerializeToString(deterministic=True)
            digest.update(f"{name}\0{len(payload)}\0".encode() + payload)
    return digest.hexdigest()[:_LENGTH]
