"""Warnings are errors in tests, but for one that the SDK gives of a race and that would stop its worker for ever."""

import warnings
from types import SimpleNamespace

import pytest
from temporalio.bridge.proto.activity_task import Cancel
from temporalio.worker._activity import _ActivityWorker


def cancel_what_has_ended() -> None:
    """Let the SDK do what it does when an activity ended just before the server's word to cancel it came."""
    _ActivityWorker._handle_cancel_activity_task(SimpleNamespace(_running_activities={}), b"token", Cancel())


def test_the_cancellation_of_an_activity_that_has_ended_is_no_error():
    cancel_what_has_ended()


def test_the_sdk_still_warns_of_it():
    with pytest.warns(UserWarning, match="Cannot find activity to cancel for token"):
        cancel_what_has_ended()


def test_other_warnings_are_errors():
    with pytest.raises(UserWarning, match="another"):
        warnings.warn("another", UserWarning, stacklevel=1)
