"""What the Temporal UI shows of a run and finds it by: a summary, details, search attributes and a memo.

Search attributes are never encrypted and hold ids, the kind of job and tags alone. Summary, details and memo go through
the data converter, so a codec encrypts them.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from pydantic import Field, ValidationError
from temporalio import workflow
from temporalio.client import WorkflowExecution
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from trenova_activities._names import BUSINESS_UNIT_ID, JOB_MEMO, JOB_TYPE, ORGANIZATION_ID, REQUEST_DIGEST, TAGS
from trenova_activities._wire import WireModel
from trenova_errors import InvalidInputError

MAX_TAGS: Final = 20
_TAG: Final = re.compile(r"[a-z0-9][a-z0-9._:/-]{0,99}")

# A server may refuse a summary of more than 400 bytes and details of more than 20,000 (limit.userMetadataSummarySize,
# limit.userMetadataDetailsSize), measured after encoding: a codec adds some 150 bytes, and not every one compresses.
_SUMMARY_BYTES: Final = 200
_DETAILS_BYTES: Final = 8_000


class JobMemo(WireModel):
    """What the memo of a run says of it, under ``trenova.job``.

    Attributes:
        job_type: Which kind of job, as in the search attribute.
        request: What is asked, in one line.
        requested_by: Who asks, as the caller says; a claim, because nothing has checked it.
        tags: As in the search attribute, without those of a parent.
    """

    job_type: str
    request: str
    requested_by: str | None = None
    tags: list[str] = Field(default_factory=list)


class StartArguments(TypedDict):
    """Arguments of ``client.start_workflow`` and ``workflow.start_child_workflow`` that say what a run is."""

    memo: Mapping[str, Any]
    search_attributes: TypedSearchAttributes | None
    static_summary: str
    static_details: str


@dataclass(frozen=True, kw_only=True)
class RunLabels:
    """What one run is, for people who look at it.

    Attributes:
        job_type: Which kind of job.
        summary: What it is asked, in one line; cut to 200 bytes.
        details: The same at length, in sentences; Markdown, cut to 8,000 bytes.
        organization_id: Whose run it is; None for one that is for several.
        business_unit_id: The business unit, or None.
        requested_by: Who asks, as the caller says.
        tags: Words to find it by.
    """

    job_type: str
    summary: str
    details: str
    organization_id: str | None = None
    business_unit_id: str | None = None
    requested_by: str | None = None
    tags: tuple[str, ...] = ()

    def arguments(self, *, digest: str | None = None) -> StartArguments:
        """Return what a client's start is given.

        Args:
            digest: Fingerprint of the request, for the memo.
        """
        return self._arguments(self.search_attributes(), {} if digest is None else {REQUEST_DIGEST: digest})

    def child_arguments(self) -> StartArguments:
        """Return what the start of a child is given, in workflow code.

        The child has the tags of its parent too. It has search attributes only where the parent has: a namespace that
        does not know them would fail the parent's workflow task for ever.
        """
        of_parent = workflow.info().typed_search_attributes
        if of_parent.get(JOB_TYPE) is None:
            return self._arguments(None, {})
        inherited = of_parent.get(TAGS) or ()
        return self._arguments(self.search_attributes(inherited=inherited), {})

    def search_attributes(self, *, inherited: Iterable[str] = ()) -> TypedSearchAttributes:
        """Return the search attributes, with further tags."""
        pairs: list[SearchAttributePair[Any]] = [SearchAttributePair(JOB_TYPE, self.job_type)]
        if self.organization_id is not None:
            pairs.append(SearchAttributePair(ORGANIZATION_ID, self.organization_id))
        if self.business_unit_id is not None:
            pairs.append(SearchAttributePair(BUSINESS_UNIT_ID, self.business_unit_id))
        if tags := list(dict.fromkeys([*self.tags, *inherited]))[:MAX_TAGS]:
            pairs.append(SearchAttributePair(TAGS, tags))  # trenova: clear - our own words and those checked as tags
        return TypedSearchAttributes(pairs)

    def memo(self) -> dict[str, Any]:
        """Return the memo as JSON, whatever the data converter can write."""
        said = JobMemo(
            job_type=self.job_type, request=brief(self.summary), requested_by=self.requested_by, tags=list(self.tags)
        )
        return {JOB_MEMO: said.model_dump(mode="json", by_alias=True, exclude_none=True)}

    def _arguments(self, attributes: TypedSearchAttributes | None, more: Mapping[str, Any]) -> StartArguments:
        return StartArguments(
            memo={**self.memo(), **more},
            search_attributes=attributes,
            static_summary=brief(self.summary),
            static_details=_cut(self.details, _DETAILS_BYTES),
        )


async def job_memo(run: WorkflowExecution) -> JobMemo | None:
    """Return what the memo of a described or listed run says, or None where a caller gave none that can be read."""
    memo = await run.memo()
    try:
        return JobMemo.model_validate(memo.get(JOB_MEMO))
    except ValidationError:
        return None


def brief(text: str) -> str:
    """Return a text as a summary: in one line, and no longer than the server takes."""
    return _cut(" ".join(text.split()), _SUMMARY_BYTES)


def is_tag(text: str) -> bool:
    """Whether a text can be a tag: up to 100 lower-case letters, digits and ``._:/-``."""
    return _TAG.fullmatch(text) is not None


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return a caller's tags, each once.

    Raises:
        InvalidInputError: One is none, or there are too many.
    """
    once = tuple(dict.fromkeys(tags))
    if wrong := [tag for tag in once if not is_tag(tag)]:
        raise InvalidInputError(
            f"{wrong[0][:100]!r} is no tag. Use up to 100 lower-case letters, digits and the characters . _ : / -, and "
            "nothing personal: tags are never encrypted."
        )
    if len(once) > MAX_TAGS // 2:
        raise InvalidInputError(f"{len(once)} tags are too many; give at most {MAX_TAGS // 2}.")
    return once


def _cut(text: str, most: int) -> str:
    """Return the beginning of a text that has at most so many bytes as JSON, which is how it is sent."""
    if _size(text) <= most:
        return text
    kept = text.encode()[: most - 3].decode(errors="ignore")
    while kept and _size(kept) > most - 3:  # quotes and control characters are longer as JSON
        kept = kept[: min(len(kept) - 1, len(kept) * (most - 3) // _size(kept))]
    return kept.rstrip() + "..."


def _size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2
