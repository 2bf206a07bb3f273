"""What a saga keeps of its steps: data that can be carried into the next run of a workflow."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field, TypeAdapter, field_serializer, field_validator

from trenova_activities._wire import WireModel
from trenova_errors import DATABASE_POLICY, ActivityPolicy, ConflictError, NonRetryableError

COMPENSATION_CONFLICT: Final = "compensation_conflict"
"""Code of a ``conflict`` failure: what was to be undone has been changed by somebody else since."""

Outcome = Literal["begun", "done", "unknown"]
_POLICY: Final = TypeAdapter(ActivityPolicy)
Name = Annotated[str, Field(min_length=1, max_length=100)]


class Compensation(WireModel):
    """How one step is undone: an activity by its wire name, with its one argument.

    The argument is known before the step begins: it names the work (a key, the request), and the activity finds out
    from its own records what there is to undo. It must be idempotent.

    Attributes:
        activity: Wire name of the activity that undoes the step.
        argument: Its argument, as JSON.
        verify: Wire name of the activity that says whether the step took effect, asked with ``verify_argument``
            where that is unknown; it returns a :class:`StepOutcome` and must see to it that the step cannot take
            effect afterwards. None where the compensation finds that out by itself.
        verify_argument: Its argument, as JSON; that of the compensation where it is empty.
        together: Compensations of neighbouring steps with the same word here run at the same time.
        policy: Time-outs and retries of the compensation.
        verify_policy: Those of the verification.
        task_queue: Where both run; the workflow's own if None.
    """

    activity: Name
    argument: dict[str, object]
    verify: Name | None = None
    verify_argument: dict[str, object] = Field(default_factory=dict)
    together: str = ""
    policy: ActivityPolicy = DATABASE_POLICY
    verify_policy: ActivityPolicy = DATABASE_POLICY
    task_queue: str | None = None

    @field_validator("policy", "verify_policy", mode="before")
    @classmethod
    def _read_policy(cls, value: object) -> object:
        return _POLICY.validate_python(value) if isinstance(value, dict) else value

    @field_serializer("policy", "verify_policy")
    def _write_policy(self, policy: ActivityPolicy) -> dict[str, object]:
        # By an adapter both ways: within this model a duration would have to be Python's own, also on the wire.
        written: dict[str, object] = _POLICY.dump_python(policy, mode="json")
        return written


class StepOutcome(WireModel):
    """What a verify activity answers: whether the step took effect."""

    done: bool


class SagaEntry(WireModel):
    """One step that may have to be undone.

    Attributes:
        step: Its name, which is also that of its compensation's activity id, ``<step>-undo``.
        outcome: ``begun`` while it runs, ``done`` after it, ``unknown`` where nobody can say.
        undo: How it is undone.
    """

    step: Name
    outcome: Outcome
    undo: Compensation


class SagaState(WireModel):
    """The steps of a saga in the order in which they were begun; carry it through continue-as-new."""

    entries: list[SagaEntry] = Field(default_factory=list)


class NotUndone(WireModel):
    """A step whose compensation failed.

    Attributes:
        step: Its name.
        code: ``compensation_conflict``, or the code of what the compensation or the verification failed with.
        said: What is wrong, for a person.
    """

    step: str
    code: str
    said: str


class CompensationConflictError(ConflictError):
    """A compensation met a newer version of what it was to undo, and left it as it is."""

    code = COMPENSATION_CONFLICT


class NotUndoneError(NonRetryableError):
    """A saga failed, and some of what it had done could not be undone; the message says what."""

    code = "saga.not_undone"


def as_argument(model: BaseModel) -> dict[str, object]:
    """Return a model as the argument of a compensation."""
    return model.model_dump(mode="json", by_alias=True)
