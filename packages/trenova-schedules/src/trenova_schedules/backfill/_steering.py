"""Steer a backfill: what may be changed when, and what is remembered of it; no command of Temporal's and no clock."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from trenova_schedules.backfill._limits import BackfillLimits
from trenova_schedules.backfill._steering_contract import (
    MOST_ACTIONS,
    MOST_UPDATE_IDS,
    Action,
    Actor,
    CancelRequest,
    LimitsRequest,
    PauseRequest,
    ResumeRequest,
    Standstill,
    SteeringAction,
    SteeringAnswer,
    SteeringState,
)

_NOTHING: Final = "Nothing was changed."

Request = PauseRequest | ResumeRequest | CancelRequest | LimitsRequest


@dataclass(frozen=True)
class Asked:
    """The circumstances of a request.

    Attributes:
        at: Unix seconds, by the workflow's clock.
        update_id: Of the update; None for a signal.
    """

    at: int
    update_id: str | None = None

    @property
    def through(self) -> Literal["update", "signal"]:
        """How it came."""
        return "signal" if self.update_id is None else "update"


class Steering:
    """What a run has been told.

    Args:
        state: What the run before this one carried over.
    """

    def __init__(self, state: SteeringState | None = None) -> None:
        self._state = state or SteeringState()
        self._handled = 0

    @property
    def state(self) -> SteeringState:
        """What to carry through continue-as-new."""
        return self._state

    @property
    def paused(self) -> Standstill | None:
        """Why the run is to hold; None while it is to work."""
        return self._state.paused

    @property
    def canceled(self) -> Standstill | None:
        """Why the run is to end."""
        return self._state.canceled

    @property
    def cancel_runs(self) -> bool:
        """Whether the end of the backfill cancels the runs that it started."""
        return self._state.cancel_runs

    @property
    def limits(self) -> BackfillLimits | None:
        """What applies from the next call on."""
        return self._state.limits

    @property
    def handled(self) -> int:
        """Requests that were answered since the last continue-as-new, whether they changed something or not."""
        return self._handled

    def refusal(self, request: Request) -> str:
        """Say why a request is refused; empty if it is not."""
        if isinstance(request, LimitsRequest) and request.rate_per_second is None and request.concurrency is None:
            return (
                "No limit was given. Give ratePerSecond, concurrency or both; 0 goes back to what the run began with."
            )
        canceled = self.canceled
        if canceled is not None and not isinstance(request, CancelRequest):
            return (
                f"The backfill is being canceled by {canceled.by.words}: {_clause(canceled)}. It ends after the call "
                "under way; start a new one."
            )
        return ""

    def apply(self, request: Request, asked: Asked) -> SteeringAnswer:
        """Do what is asked, once: what was done before, or is so already, changes nothing and is no error.

        Args:
            request: One that :meth:`refusal` does not refuse.
            asked: Its circumstances.
        """
        self._handled += 1
        known = None if asked.update_id is None else self._state.update_ids.get(asked.update_id)
        if known is not None:
            done = f"was applied before, as change {known}" if known else "was answered before"
            return self._answer(f"This update {done}. {_NOTHING}", number=known or None)
        done_already = self._is_so(request)
        if done_already:
            self._remember(asked.update_id, 0)
            return self._answer(f"{done_already} {_NOTHING}")
        words = self._change(request, Actor(name=request.by), asked)
        return self._answer(words, number=self._state.changes, applied=True)

    def _is_so(self, request: Request) -> str:
        """Say that it is as asked already; empty where it is not."""
        paused, canceled = self.paused, self.canceled
        if isinstance(request, PauseRequest) and paused is not None:
            return f"It is paused already by {paused.by.words} since {_moment(paused.at)}: {_clause(paused)}."
        if isinstance(request, ResumeRequest) and paused is None:
            return "It is not paused."
        if isinstance(request, CancelRequest) and canceled is not None:
            return f"It is being canceled already by {canceled.by.words}: {_clause(canceled)}."
        if isinstance(request, LimitsRequest) and self._limits(request) == (self.limits or BackfillLimits()):
            return f"The limits are these already: {(self.limits or BackfillLimits()).words}."
        return ""

    def _change(self, request: Request, by: Actor, asked: Asked) -> str:
        action: Action
        changed: dict[str, Any]
        if isinstance(request, PauseRequest):
            action, changed = "pause", {"paused": Standstill(reason=request.reason, by=by, at=asked.at)}
            words = f"Paused by {by.words}: {_clause(request)}."
        elif isinstance(request, ResumeRequest):
            action, changed, held = "resume", {"paused": None}, self.paused
            since = f", after {asked.at - held.at:,} seconds" if held else ""
            words = f"Resumed by {by.words}{since}."
        elif isinstance(request, CancelRequest):
            standstill = Standstill(reason=request.reason, by=by, at=asked.at)
            action, also = "cancel", request.runs == "cancel"
            changed = {"canceled": standstill, "paused": None, "cancel_runs": also}
            words = f"Canceled by {by.words}: {_clause(request)}."
        else:
            limits = self._limits(request)
            action, changed = "changeLimits", {"limits": None if limits == BackfillLimits() else limits}
            words = f"Limits changed by {by.words}: {limits.words}."
        self._record(action, by, asked, words, changed)
        return words

    def _record(self, action: Action, by: Actor, asked: Asked, words: str, changed: dict[str, Any]) -> None:
        number = self._state.changes + 1
        entry = SteeringAction(number=number, action=action, by=by, at=asked.at, words=words, through=asked.through)
        actions = [*self._state.actions, entry][-MOST_ACTIONS:]
        self._state = self._state.model_copy(update={**changed, "changes": number, "actions": actions})
        self._remember(asked.update_id, number)

    def _remember(self, update_id: str | None, number: int) -> None:
        if update_id is None:
            return
        ids = {**self._state.update_ids, update_id: number}
        recent = dict(list(ids.items())[-MOST_UPDATE_IDS:])
        self._state = self._state.model_copy(update={"update_ids": recent})

    def _limits(self, request: LimitsRequest) -> BackfillLimits:
        """Return the limits with what the request changes."""
        now = self.limits or BackfillLimits()
        rate, concurrency = request.rate_per_second, request.concurrency
        return BackfillLimits(
            rate_per_second=now.rate_per_second if rate is None else rate or None,
            concurrency=now.concurrency if concurrency is None else concurrency or None,
        )

    def _answer(self, words: str, *, number: int | None = None, applied: bool = False) -> SteeringAnswer:
        return SteeringAnswer(
            applied=applied,
            number=number,
            result=words,
            paused=self.paused,
            limits=self.limits,
            changes=self._state.changes,
        )


def _clause(told: Standstill | PauseRequest | CancelRequest) -> str:
    """Return the reason as the end of a sentence, which has a full stop of its own."""
    return told.reason.removesuffix(".")


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
