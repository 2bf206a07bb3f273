"""Gives what libraries count through ``opentelemetry-api`` to the runtime of the SDK.

So that one process has one exporter, one address to scrape, and the same tags on everything. The SDK takes buckets of
histograms when its runtime is made, so what a library advises comes too late; `MetricsOptions.buckets` does not. It
takes nothing below zero: such a value is written as zero.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Event, Lock, Thread
from typing import Any, Final, Generic, TypeVar

from opentelemetry import metrics
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, CallbackT, Meter, MeterProvider
from opentelemetry.metrics._internal import _ProxyMeterProvider  # nothing public tells that none was chosen
from opentelemetry.util.types import Attributes
from temporalio import workflow
from temporalio.common import MetricMeter

_log = logging.getLogger(__name__)

_BETWEEN_LOOKS_S: Final = 5.0
_UNITS: Final = {"s": "_seconds", "By": "_bytes"}
_OF_THE_SDK: Final = ("service_name",)
Number = int | float
Instrument = TypeVar("Instrument")
Key = tuple[tuple[str, Any], ...]


class RuntimeMeters(MeterProvider):
    """The process's meter provider, whose instruments write to the runtime that was attached last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._watched: list[Callable[[], None]] = []
        self.target: MetricMeter = MetricMeter.noop
        self._tags: frozenset[str] = frozenset()

    def attach(self, meter: MetricMeter, tags: Iterable[str] = ()) -> None:
        """Write to this runtime from now on.

        Args:
            meter: Of the runtime.
            tags: Names of what the runtime says on everything. A label of that name gets ``exported_`` before it, as
                Prometheus does: one line with a name twice, and nothing of the whole answer would be taken.
        """
        self.target, self._tags = meter, frozenset({*tags, *_OF_THE_SDK})

    def labels(self, attributes: Attributes) -> dict[str, Any]:
        """Return attributes as labels."""
        named = {key.replace(".", "_"): value for key, value in (attributes or {}).items()}
        return {
            f"exported_{key}" if key in self._tags else key: (
                value if isinstance(value, str | int | float | bool) else str(value)
            )
            for key, value in named.items()
        }

    def get_meter(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,  # noqa: ARG002 (the signature is OpenTelemetry's)
    ) -> Meter:
        """See base class."""
        return _RuntimeMeter(self, name, version, schema_url)

    def watch(self, look: Callable[[], None]) -> None:
        """Call ``look`` every few seconds, on a thread that all share."""
        with self._lock:
            self._watched.append(look)
            if len(self._watched) == 1:
                Thread(target=self._look, name="observable metrics", daemon=True).start()

    def _look(self) -> None:
        pause = Event()
        while not pause.wait(_BETWEEN_LOOKS_S):
            for look in list(self._watched):
                try:
                    look()
                except Exception:  # noqa: BLE001 (of a callback; the others are asked all the same)
                    _log.exception("a metric cannot be observed")


class _Written(Generic[Instrument]):
    """An instrument of whichever runtime is attached; what a replay says again goes nowhere."""

    def __init__(self, provider: RuntimeMeters, make: Callable[[MetricMeter], Instrument]) -> None:
        self._provider = provider
        self._make = make
        self._made: tuple[MetricMeter, Instrument] | None = None

    def now(self) -> Instrument:
        if workflow.in_workflow() and workflow.unsafe.is_replaying_history_events():
            return self._make(MetricMeter.noop)
        target = self._provider.target
        if self._made is None or self._made[0] is not target:
            self._made = (target, self._make(target))
        return self._made[1]


class _Sums:
    """What was added up, by attributes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sums: dict[Key, Number] = {}

    def add(self, labels: Mapping[str, Any], amount: Number) -> tuple[Number, Number]:
        """Return the sum before and after."""
        key = tuple(sorted(labels.items()))
        with self._lock:
            before = self._sums.get(key, 0)
            self._sums[key] = before + amount
            return before, self._sums[key]

    def grown(self, labels: Mapping[str, Any], total: Number) -> Number:
        """Return how much more ``total`` is than the last one."""
        key = tuple(sorted(labels.items()))
        with self._lock:
            before, self._sums[key] = self._sums.get(key, 0), total
            return max(0, total - before)


class _Counter(metrics.Counter):
    def __init__(self, provider: RuntimeMeters, name: str, unit: str, description: str) -> None:
        self._provider = provider
        self._written = _Written(provider, lambda meter: meter.create_counter(_named(name, unit), description))
        self._fractions = _Sums()

    def add(self, amount: Number, attributes: Attributes = None, context: Context | None = None) -> None:  # noqa: ARG002
        if amount >= 0:
            labels = self._provider.labels(attributes)
            if isinstance(amount, float):  # the runtime counts in whole numbers, so fractions wait for each other
                before, after = self._fractions.add(labels, amount)
                amount = int(after) - int(before)
            self._written.now().add(amount, labels)


class _UpDownCounter(metrics.UpDownCounter):
    def __init__(self, provider: RuntimeMeters, name: str, unit: str, description: str) -> None:
        self._provider = provider
        self._written = _Written(provider, lambda meter: meter.create_gauge_float(_named(name, unit), description))
        self._sums = _Sums()

    def add(self, amount: Number, attributes: Attributes = None, context: Context | None = None) -> None:  # noqa: ARG002
        labels = self._provider.labels(attributes)
        self._written.now().set(max(0, self._sums.add(labels, amount)[1]), labels)


class _Histogram(metrics.Histogram):
    def __init__(self, provider: RuntimeMeters, name: str, unit: str, description: str) -> None:
        self._provider = provider
        self._written = _Written(provider, lambda meter: meter.create_histogram_float(_named(name, unit), description))

    def record(self, amount: Number, attributes: Attributes = None, context: Context | None = None) -> None:  # noqa: ARG002
        if amount >= 0:
            self._written.now().record(amount, self._provider.labels(attributes))


class _Gauge(metrics._Gauge):  # noqa: SLF001 (its public name)
    def __init__(self, provider: RuntimeMeters, name: str, unit: str, description: str) -> None:
        self._provider = provider
        self._written = _Written(provider, lambda meter: meter.create_gauge_float(_named(name, unit), description))

    def set(self, amount: Number, attributes: Attributes = None, context: Context | None = None) -> None:  # noqa: ARG002
        self._written.now().set(max(0, amount), self._provider.labels(attributes))


def _look(callbacks: Sequence[CallbackT], write: Callable[[Number, Attributes], None]) -> None:
    """Ask the callbacks of an observable instrument, and write what they say."""
    for callback in callbacks:
        for one in callback(CallbackOptions()) if callable(callback) else next(callback):
            write(one.value, one.attributes)


def _named(name: str, unit: str) -> str:
    """Return the name as Prometheus' exporter of OpenTelemetry writes it; whole, so that both exporters agree."""
    name = name.replace(".", "_")
    suffix = _UNITS.get(unit, "")
    return name if name.endswith(suffix) else name + suffix


class _RuntimeMeter(Meter):
    def __init__(self, provider: RuntimeMeters, name: str, version: str | None, schema_url: str | None) -> None:
        super().__init__(name, version, schema_url)
        self._provider = provider

    def create_counter(self, name: str, unit: str = "", description: str = "") -> metrics.Counter:
        return _Counter(self._provider, name, unit, description)

    def create_up_down_counter(self, name: str, unit: str = "", description: str = "") -> metrics.UpDownCounter:
        return _UpDownCounter(self._provider, name, unit, description)

    def create_histogram(
        self,
        name: str,
        unit: str = "",
        description: str = "",
        *,
        explicit_bucket_boundaries_advisory: Sequence[float] | None = None,  # noqa: ARG002 (known too late)
    ) -> metrics.Histogram:
        return _Histogram(self._provider, name, unit, description)

    def create_gauge(self, name: str, unit: str = "", description: str = "") -> metrics._Gauge:
        return _Gauge(self._provider, name, unit, description)

    def create_observable_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> metrics.ObservableCounter:
        counter, seen = self.create_counter(name, unit, description), _Sums()

        def write(total: Number, attributes: Attributes) -> None:
            counter.add(seen.grown(self._provider.labels(attributes), total), attributes)

        self._provider.watch(lambda: _look(callbacks or (), write))
        return metrics.NoOpMeter("").create_observable_counter(name)

    def create_observable_gauge(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> metrics.ObservableGauge:
        gauge = self.create_gauge(name, unit, description)
        self._provider.watch(lambda: _look(callbacks or (), gauge.set))
        return metrics.NoOpMeter("").create_observable_gauge(name)

    def create_observable_up_down_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> metrics.ObservableUpDownCounter:
        self.create_observable_gauge(name, callbacks, unit, description)
        return metrics.NoOpMeter("").create_observable_up_down_counter(name)


_METERS: Final = RuntimeMeters()


def write_to(meter: MetricMeter, tags: Iterable[str]) -> None:
    """Let what libraries count go to this runtime, unless the process has chosen a meter provider itself.

    Args:
        meter: Of the runtime.
        tags: Names of what it says on everything.
    """
    _METERS.attach(meter, tags)
    if isinstance(metrics.get_meter_provider(), _ProxyMeterProvider):
        metrics.set_meter_provider(_METERS)
