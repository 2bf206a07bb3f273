"""Workflows and activities that the tests run on a real server."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic.alias_generators import to_camel
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ApplicationError as UntypedError

import trenova_errors
from trenova_errors import (
    AmbiguousOutcomeError,
    ApplicationError,
    ConfigurationError,
    ConflictError,
    DataIntegrityError,
    InvalidInputError,
    NonRetryableError,
    PayloadTooLargeError,
    PermissionDeniedError,
    ResourceNotFoundError,
    RetryableError,
    ThrottledError,
    UnavailableError,
)

SECRET = "hunter2-hunter2"
ONE_OF_EACH: dict[str, type[ApplicationError]] = {
    cls.kind.value: cls
    for cls in (
        AmbiguousOutcomeError,
        ConfigurationError,
        ConflictError,
        DataIntegrityError,
        InvalidInputError,
        NonRetryableError,
        PayloadTooLargeError,
        PermissionDeniedError,
        ResourceNotFoundError,
        RetryableError,
        ThrottledError,
        UnavailableError,
    )
}


class Options(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
    copy_notes: bool = False


class Order(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
    order_count: int = Field(ge=1, le=100)
    api_key: SecretStr = SecretStr("none")
    options: Options = Options()

    @model_validator(mode="after")
    def _refuse(self) -> "Order":
        if self.api_key.get_secret_value() == SECRET:
            raise ValueError(f"the key {SECRET} is known to the public")
        return self


@workflow.defn
class TakesOrder:
    @workflow.run
    async def run(self, order: Order) -> int:
        return order.order_count


@workflow.defn
class TakesOrderInInit:
    @workflow.init
    def __init__(self, order: Order) -> None:
        self._count = order.order_count

    @workflow.run
    async def run(self, order: Order) -> int:
        return self._count


@workflow.defn
class TakesOrderAndNote:
    @workflow.run
    async def run(self, order: Order, note: str = "none") -> str:
        return f"{order.order_count} {note}"


@workflow.defn
class ValidatesInside:
    @workflow.run
    async def run(self, order: dict[str, Any]) -> int:
        return Order.model_validate(order).order_count


@workflow.defn
class Raises:
    @workflow.run
    async def run(self, kind: str) -> None:
        raise ONE_OF_EACH[kind]("as asked", answer=42)


@workflow.defn
class ChecksSandbox:
    @workflow.run
    async def run(self) -> bool:
        return trenova_errors.InvalidInputError is InvalidInputError and workflow.unsafe.in_sandbox()


@workflow.defn
class CallsActivity:
    @workflow.run
    async def run(self, name: str, args: list[Any]) -> Any:
        return await workflow.execute_activity(
            name,
            args=args,
            activity_id="call",
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=2),
        )


@workflow.defn
class SendsPayload:
    """Calls activity ``take`` with one payload as it is."""

    @workflow.run
    async def run(self, encoding: str, data: str) -> Any:
        payload = Payload(metadata={"encoding": encoding.encode()}, data=data.encode())
        return await workflow.execute_activity(
            "take",
            RawValue(payload),
            activity_id="call",
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=2),
        )


@workflow.defn
class Inbox:
    def __init__(self) -> None:
        self._counts: list[int] = []
        self._finished = False

    @workflow.run
    async def run(self) -> list[int]:
        await workflow.wait_condition(lambda: self._finished)
        return self._counts

    @workflow.signal
    def finish(self) -> None:
        self._finished = True

    @workflow.signal
    def put(self, order: Order) -> None:
        self._counts.append(order.order_count)

    @workflow.signal
    def put_unchecked(self, order: dict[str, Any]) -> None:
        self._counts.append(Order.model_validate(order).order_count)

    @workflow.update
    def add(self, order: Order) -> int:
        self._counts.append(order.order_count)
        return len(self._counts)

    @workflow.update
    def add_checked(self, order: Order) -> int:
        self._counts.append(order.order_count)
        return len(self._counts)

    @add_checked.validator
    def _check(self, order: Order) -> None:
        Order.model_validate({"orderCount": order.order_count * 10})

    @workflow.update
    async def add_async(self, order: Order) -> int:
        self._counts.append(order.order_count)
        return len(self._counts)

    @workflow.update
    async def add_async_times(self, order: Order, times: int = 1) -> int:
        self._counts.append(order.order_count * times)
        return len(self._counts)

    @workflow.update
    def add_times(self, order: Order, times: int = 1) -> int:
        self._counts.append(order.order_count * times)
        return len(self._counts)

    @workflow.signal
    async def put_async(self, order: Order) -> None:
        self._counts.append(order.order_count)

    @workflow.signal
    async def put_async_times(self, order: Order, times: int = 1) -> None:
        self._counts.append(order.order_count * times)

    @workflow.signal
    def put_times(self, order: Order, times: int = 1) -> None:
        self._counts.append(order.order_count * times)

    @workflow.signal
    def set_handlers(self) -> None:
        async def replaced(order: Order, times: int = 1) -> int:
            self._counts.append(order.order_count * times * 10)
            return len(self._counts)

        async def put(order: Order, times: int = 1) -> None:
            self._counts.append(order.order_count * times * 10)

        workflow.set_update_handler("add_async", replaced)
        workflow.set_signal_handler("put_async", put)

    @workflow.query
    def count(self, at: int) -> int:
        return self._counts[at]


@workflow.defn
class TakesAnything:
    """Has dynamic handlers."""

    def __init__(self) -> None:
        self._seen: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: "end" in self._seen)
        return self._seen

    @workflow.signal(dynamic=True)
    async def on_signal(self, name: str, args: Sequence[RawValue]) -> None:
        self._seen.append(name if name == "end" else f"{name} {len(args)}")

    @workflow.update(dynamic=True)
    async def on_update(self, name: str, args: Sequence[RawValue]) -> int:
        return len(args)

    @workflow.query(dynamic=True)
    def on_query(self, name: str, args: Sequence[RawValue]) -> int:
        return len(args)


class Activities:
    """What the tests call; ``attempts`` holds the loop's time of each attempt by workflow id."""

    def __init__(self) -> None:
        self.attempts: dict[str, list[float]] = {}

    @property
    def all(self) -> list[Any]:
        return [
            self.take, self.take_with_note, self.fail, self.fail_slowly, self.fail_idempotent,
            self.fail_untyped, self.fail_unclassified, self.fail_validation, self.cancel_itself,
        ]  # fmt: skip

    def _attempt(self) -> None:
        workflow_id = activity.info().workflow_id or ""
        self.attempts.setdefault(workflow_id, []).append(asyncio.get_running_loop().time())

    @activity.defn(name="take")
    async def take(self, order: Order) -> int:
        self._attempt()
        return order.order_count

    @activity.defn(name="take_with_note")
    async def take_with_note(self, order: Order, note: str = "none") -> str:
        self._attempt()
        return f"{order.order_count} {note}"

    @activity.defn(name="fail")
    async def fail(self, kind: str) -> None:
        self._attempt()
        try:
            {}["missing"]
        except KeyError as error:
            raise ONE_OF_EACH[kind]("as asked", answer=42, ratio=0.5, known=True, other=None) from error

    @activity.defn(name="fail_slowly")
    async def fail_slowly(self) -> None:
        self._attempt()
        raise ThrottledError("later", retry_after=timedelta(seconds=2.5))

    @activity.defn(name="fail_idempotent")
    async def fail_idempotent(self) -> None:
        self._attempt()
        raise AmbiguousOutcomeError("who knows", idempotent=True)

    @activity.defn(name="fail_untyped")
    async def fail_untyped(self) -> None:
        self._attempt()
        raise UntypedError("my own decision", non_retryable=True) from RetryableError("below")

    @activity.defn(name="fail_unclassified")
    async def fail_unclassified(self) -> None:
        self._attempt()
        raise LookupError("the disk is on fire")

    @activity.defn(name="fail_validation")
    async def fail_validation(self) -> None:
        self._attempt()
        Order.model_validate({"orderCount": SECRET})

    @activity.defn(name="cancel_itself")
    async def cancel_itself(self) -> None:
        self._attempt()
        raise asyncio.CancelledError


WORKFLOWS = [
    TakesOrder, TakesOrderInInit, TakesOrderAndNote, ValidatesInside, Raises, ChecksSandbox, CallsActivity,
    SendsPayload, Inbox, TakesAnything,
]  # fmt: skip
