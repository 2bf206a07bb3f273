"""What the forms of bulk actions send."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, Json, model_validator

from trenova_errors import InvalidInputError
from trenova_schedules._managing._changing import patch_of
from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._patch import SchedulePatch
from trenova_schedules._managing._pausing import CatchUp
from trenova_schedules._managing._results import BulkAction
from trenova_schedules.server._bodies import BulkBody, Etag

MOST: Final = 500
"""Schedules of one go; more of them would take longer than a request may."""
TYPED: Final = 50
"""More schedules than these are confirmed by typing how many they are."""

Id = Annotated[str, Field(min_length=1, max_length=1000)]
Name = Annotated[str, Field(max_length=1000)]
Number = Annotated[str, Field(max_length=12)]
_FLAGS: Final = {"yes": True, "no": False}


class ChosenForm(BaseModel):
    """Which schedules, and what of them is to be another way; a field that is empty stays as it is.

    Attributes:
        id: The schedules.
        everything: They are all that matched a filter.
        key: Of the dialog.
        catch_up: Of a resume.
        note: Another note.
        no_note: Take the note away.
        overlap: Another overlap policy.
        jitter: Seconds.
        catchup_window: Minutes.
        time_zone: Another time zone.
        pause_on_failure: ``yes`` or ``no``.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    id: Annotated[list[Id], Field(min_length=1)]
    everything: bool = False
    key: Annotated[str, Field(max_length=200)] = ""
    catch_up: CatchUp = CatchUp.NONE
    note: Name = ""
    no_note: bool = False
    overlap: Name = ""
    jitter: Number = ""
    catchup_window: Number = ""
    time_zone: Name = ""
    pause_on_failure: Number = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """The schedules, each once, in order.

        Raises:
            InvalidInputError: More than go at once.
        """
        found = tuple(sorted(set(self.id)))
        if len(found) > MOST:
            raise InvalidInputError(
                f"{len(found)} schedules are selected; {MOST} go at once. Take some out. Nothing was changed."
            )
        return found

    def needs_typing(self, action: BulkAction) -> bool:
        """Whether it has to be confirmed by typing what is done to how many."""
        return action is BulkAction.DELETE or self.everything or len(self.ids) > TYPED

    @property
    def fields(self) -> Mapping[str, Any]:
        """What an update would change, as a patch has it.

        Raises:
            InvalidInputError: A number is none.
        """
        found: dict[str, Any] = {
            name: value for name in ("note", "overlap", "time_zone") if (value := getattr(self, name).strip())
        }
        if self.no_note:
            found["note"] = None
        if self.jitter.strip():
            found["jitter"] = _whole(self.jitter, "The jitter in seconds") or None
        if self.catchup_window.strip():
            found["catchup_window"] = _whole(self.catchup_window, "The catch-up window in minutes") * 60
        if self.pause_on_failure in _FLAGS:
            found["pause_on_failure"] = _FLAGS[self.pause_on_failure]
        return found

    def patch(self, action: BulkAction) -> SchedulePatch | None:
        """Return the patch of an update; None for another action.

        Raises:
            InvalidInputError: No field is to be another way, or one does not hold.
        """
        if action is not BulkAction.UPDATE:
            return None
        if not self.fields:
            raise InvalidInputError("No field is given. Fill in what shall be another way. Nothing was changed.")
        return patch_of(self.fields)

    def tried(self, action: BulkAction) -> BulkBody:
        """Return the request of the dry run."""
        return self._body(action, self.ids, dry_run=True, reason="What would it do?")

    def _body(self, action: BulkAction, ids: tuple[str, ...], **more: Any) -> BulkBody:
        return BulkBody(
            action=action,
            filter=ScheduleFilter(ids=ids),
            patch=self.patch(action),
            catch_up=self.catch_up,
            most=MOST,
            **more,
        )


class SentForm(ChosenForm):
    """The same, with what was shown of it.

    Attributes:
        seen: ETags of the schedules that the dry run named, by id: to these it is done, and to no others.
        reason: Why.
        typed: The confirmation, where one is needed.
        key: Of this form, so that it is done once, however often it is sent.
    """

    seen: Json[Annotated[dict[Id, Etag], Field(min_length=1, max_length=MOST)]]
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    typed: Name = ""
    key: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]

    @model_validator(mode="after")
    def _of_those(self) -> "SentForm":
        if not self.seen.keys() <= set(self.id):
            raise ValueError("what was shown is not what is sent")
        return self

    def body(self, action: BulkAction) -> BulkBody:
        """Return the request.

        Raises:
            InvalidInputError: It needs to be confirmed and is not, or does not hold together.
        """
        expected = confirmation(action, len(self.seen))
        if self.needs_typing(action) and " ".join(self.typed.split()).casefold() != expected:
            raise InvalidInputError(f"Type {expected!r} to confirm it; nothing was changed.")
        return self._body(action, tuple(sorted(self.seen)), dry_run=False, reason=self.reason, etags=self.seen)


def confirmation(action: BulkAction, count: int) -> str:
    """Return what is typed to confirm an action."""
    return f"{VERBS[action].casefold()} {count}"


VERBS: Final = {
    BulkAction.PAUSE: "Pause",
    BulkAction.RESUME: "Resume",
    BulkAction.UPDATE: "Change",
    BulkAction.TRIGGER: "Run",
    BulkAction.DELETE: "Delete",
}
"""What the pages call the actions."""


def _whole(text: str, what: str) -> int:
    if not (text.strip().isascii() and text.strip().isdecimal()):
        raise InvalidInputError(f"{what} is a whole number, not {text.strip()!r}. Nothing was changed.")
    return int(text)
