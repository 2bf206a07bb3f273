"""Recognising that ``@workflow.init`` was called with the wrong number of arguments.

The SDK calls the constructor before any interceptor runs, so a missing argument is a bare ``TypeError`` that
retries the workflow task for ever. All it offers at that point is to ask whether the exception is an instance
of a ``workflow_failure_exception_types`` entry.
"""

from types import TracebackType
from typing import Any

_CALLER = ("temporalio.worker._workflow_instance", "_instantiate_workflow_object")


class _Recognises(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return type(instance) is TypeError and _left_by_call_of_init(instance.__traceback__)


class WorkflowInitArguments(Exception, metaclass=_Recognises):  # noqa: N818 - never raised, only recognised
    """The ``TypeError`` of calling a decorated ``__init__``: ``isinstance`` is all there is to it."""


def _left_by_call_of_init(traceback: TracebackType | None) -> bool:
    if traceback is None:
        return False
    while traceback.tb_next:
        traceback = traceback.tb_next
    frame = traceback.tb_frame
    if (frame.f_globals.get("__name__"), frame.f_code.co_name) != _CALLER:
        return False
    definition = getattr(frame.f_locals.get("self"), "_defn", None)
    init = getattr(getattr(definition, "cls", None), "__init__", None)
    return hasattr(init, "__temporal_workflow_init")
