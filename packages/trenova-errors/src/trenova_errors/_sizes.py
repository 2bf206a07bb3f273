"""Refusing what is too large before the SDK or the server answers it with an endless retry or the end of a run.

Tried on server 1.32.0 with SDK 1.35.0, without this check:

=============================================  ===================================================
result of an activity above 2 MiB              ``PayloadsTooLarge``, retried until attempts run out
argument of an activity, child or signal,      the workflow task fails and is tried again for ever
result of a workflow, an update or a local
activity above 2 MiB
all commands of a workflow task above 4 MiB    the run is terminated, ``GrpcMessageTooLarge``
=============================================  ===================================================
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from temporalio import activity
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import ActivitySerializationContext, DataConverter

from trenova_errors._task_bytes import of_run
from trenova_errors._types import ConfigurationError, PayloadTooLargeError

_MEBIBYTE: Final = 1024 * 1024
# What a codec may add without anyone knowing it in the workflow: key id, nonce and tag, the payload around them.
_CODEC_ALLOWANCE: Final = 16 * 1024
# What the marker of a local activity holds beside its result; 297 bytes were seen.
_MARKER_ALLOWANCE: Final = 1024
# What stands in a command for a payload that external storage has taken.
_REFERENCE: Final = 1024


@dataclass(frozen=True, kw_only=True)
class PayloadLimits:
    """Sizes in bytes above which an argument or a result is refused with ``payload_too_large``.

    Args:
        payload: One argument list or result; the server's own limit is 2 MiB (``limit.blobSize.error``).
        task: Everything that one workflow task sends; the server takes gRPC messages up to 4 MiB. The default
            leaves 128 KiB for what is not counted: headers, summaries, search attributes.

    Sizes in workflow code are those before the payload codec, since a workflow cannot run it; raise ``payload``
    where a codec compresses. An activity's result is measured as it leaves, codec and external storage included.

    Raises:
        ConfigurationError: A limit is not above 0, or ``task`` is below ``payload``.
    """

    payload: int = 2 * _MEBIBYTE
    task: int = 4 * _MEBIBYTE - 128 * 1024

    def __post_init__(self) -> None:
        if self.payload <= 0 or self.task < self.payload:
            raise ConfigurationError(
                f"PayloadLimits(payload={self.payload}, task={self.task}) cannot be used. Both are bytes above 0, "
                "and task is at least payload."
            )


@dataclass(frozen=True)
class WorkflowLimits:
    """What :class:`PayloadLimits` means in workflow code, before the codec and external storage of its worker.

    Args:
        payload: The most bytes of one argument list or result; None where external storage takes large ones.
        task: The most bytes of all of them in one workflow task.
        stored_from: From this size on a payload counts as a reference; None without external storage.
    """

    payload: int | None
    task: int
    stored_from: int | None

    @classmethod
    def of(cls, limits: PayloadLimits, converter: DataConverter) -> "WorkflowLimits":
        """Read codec and external storage of a worker's converter."""
        allowance = 0 if converter.payload_codec is None else _CODEC_ALLOWANCE
        storage = converter.external_storage
        if storage is not None:
            return cls(None, limits.task, storage.payload_size_threshold)
        return cls(max(1, limits.payload - allowance), limits.task, None)

    def counted(self, payloads: Sequence[Payload]) -> int:
        """Return the bytes that these payloads add to the workflow task."""
        if self.stored_from is None:
            return size_of(payloads)
        sizes = (payload.ByteSize() for payload in payloads)
        return sum(size if size < self.stored_from else _REFERENCE for size in sizes)


def size_of(payloads: Sequence[Payload]) -> int:
    """Return the bytes of a list of payloads as the server and the SDK count them."""
    return Payloads(payloads=payloads).ByteSize()


def too_large(what: str, size: int, limit: int) -> PayloadTooLargeError:
    """Return the error for one argument list or result.

    Args:
        what: ``The result of activity 'export'``.
        size: Bytes that were there.
        limit: Bytes that are allowed.
    """
    return PayloadTooLargeError(
        f"{what} is {size:,} bytes, and {limit:,} is the limit for one payload. Pass a reference to stored data, "
        "or set external storage on the data converter.",
        size=size,
        limit=limit,
    )


def task_full(what: str, total: int, limit: int) -> PayloadTooLargeError:
    """Return the error for what one workflow task sends altogether, in bytes."""
    return PayloadTooLargeError(
        f"{what} would bring the workflow task to {total:,} bytes, and {limit:,} is the limit for everything that "
        "one task sends. Wait for earlier activities before starting more, or pass references to stored data.",
        size=total,
        limit=limit,
    )


async def check_result(result: Any, converter: DataConverter, limits: PayloadLimits) -> None:
    """Measure an activity's result as the server will see it.

    The codec runs only for what is large enough that it could matter.

    Raises:
        PayloadTooLargeError: It would be refused, at every attempt.
    """
    info = activity.info()
    what = f"The result of activity {info.activity_type!r}"
    limit = limits.payload - (_MARKER_ALLOWANCE if info.is_local else 0)
    payloads = activity.payload_converter().to_payloads([result])
    size = size_of(payloads)
    codec = converter.with_context(_context(info)).payload_codec
    if codec is not None and size * 2 > limit:
        size = size_of(await codec.encode(payloads))
    storage = converter.external_storage
    stored = storage is not None and size >= storage.payload_size_threshold
    if size > limit and not stored:
        raise too_large(what, size, limit)
    task = of_run(info.workflow_run_id) if info.is_local else None
    total = None if task is None else task.add(_REFERENCE if stored else size, limits.task)
    if total is not None:
        raise task_full(what, total, limits.task)


def _context(info: activity.Info) -> ActivitySerializationContext:
    return ActivitySerializationContext(
        namespace=info.namespace,
        workflow_id=info.workflow_id or "",
        workflow_type=info.workflow_type or "",
        activity_type=info.activity_type,
        activity_id=info.activity_id,
        activity_task_queue=info.task_queue,
        is_local=info.is_local,
    )
