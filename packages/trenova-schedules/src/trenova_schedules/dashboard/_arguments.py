"""What is said of the arguments of a schedule: how many, and whether they are encrypted; never what they are."""

from temporalio.api.schedule.v1 import Schedule

from trenova_schedules.dashboard._words import plural

_PLAIN = frozenset({"json/plain", "json/protobuf", "binary/plain", "binary/protobuf", "binary/null"})


def arguments_in_words(schedule: Schedule) -> str:
    """Return it in a sentence; the API does not tell what arguments are either, since it may be personal."""
    payloads = schedule.action.start_workflow.input.payloads
    if not payloads:
        return "none"
    encodings = {one.metadata.get("encoding", b"").decode("utf-8", "replace") for one in payloads}
    encoded = "" if encodings <= _PLAIN else ", encrypted"
    return f"{plural(len(payloads), 'argument')}{encoded}"
