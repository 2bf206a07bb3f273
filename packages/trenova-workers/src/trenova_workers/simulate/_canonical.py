"""Eight traces that every change of the law is measured on, and the policy of each."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from trenova_workers.scaling import ScalingPolicy
from trenova_workers.simulate._noise import counted
from trenova_workers.simulate._trace import Fire, Outage, Span, Trace

HOUR: Final = 3600


@dataclass(frozen=True)
class Case:
    """A trace and the policy of its pool."""

    trace: Trace
    policy: ScalingPolicy


def cases() -> tuple[Case, ...]:
    """Return all eight, the same each time."""
    return tuple(make() for make in _MAKERS.values())


def names() -> tuple[str, ...]:
    """Return the names of all eight."""
    return tuple(_MAKERS)


def case(name: str) -> Case:
    """Return one.

    Raises:
        KeyError: There is none of this name.
    """
    return _MAKERS[name]()


def _constant() -> Case:
    about = "The same load for an hour: a pool must find its size and stay there."
    return Case(_trace("constant", about, [60.0] * HOUR), _POLICY)


def _step() -> Case:
    about = "Four times the load from one second to the next, and back: how fast it is seen, how calmly it is left."
    return Case(_trace("step", about, [20.0] * 1200 + [80.0] * 3600 + [20.0] * 2400), _POLICY)


def _ramp() -> Case:
    about = "A load that rises for 40 minutes: a law that looks back is always behind."
    rates = [10 + 100 * at / 2400 for at in range(2400)] + [110.0] * 1200
    return Case(_trace("ramp", about, rates), _POLICY)


def _diurnal() -> Case:
    about = "A day in four hours: rises and falls, with a peak at noon."
    rates = [20 + 90 * math.sin(math.pi * at / (4 * HOUR)) ** 2 for at in range(4 * HOUR)]
    return Case(_trace("diurnal", about, rates), _POLICY)


def _burst() -> Case:
    about = "Nothing, then twenty minutes of work, twice: from zero and back to it."
    rates = [0.0] * 600 + [80.0] * 1200 + [0.0] * 1800 + [80.0] * 1200 + [0.0] * 900
    return Case(_trace("burst", about, rates), _ZERO)


def _sawtooth() -> Case:
    about = "A load that rises for 20 minutes and is gone at once, four times: the shape that makes a pool swing."
    rates = [20 + 80 * (at % 1200) / 1200 for at in range(4800)]
    return Case(_trace("sawtooth", about, rates), _POLICY)


def _nightly() -> Case:
    about = "A steady load, and three schedules that each bring a heap of tasks at once, as announced."
    times = {"billing": 1500, "purge": 3300, "statements": 5100}
    fires = tuple(Fire(at=at, tasks=20_000, name=name) for name, at in times.items())
    arrivals = list(_trace("nightly", about, [33.0] * (2 * HOUR)).arrivals)
    for fire, came in zip(fires, (21_000, 18_500, 20_300), strict=True):
        arrivals[fire.at] += came
    return Case(Trace(name="nightly", about=about, arrivals=tuple(arrivals), fires=fires, seed=7), _NIGHTLY)


def _outage() -> Case:
    about = "What tasks need is slow for two minutes, later figures are gone for two while the load doubles."
    rates = [40.0] * 3000 + [80.0] * 4200
    trace = _trace("outage", about, rates)
    faults = {"outages": (Outage(start=1200, end=1320, slowdown=4),), "gaps": (Span(start=2940, end=3060),)}
    return Case(trace.model_copy(update=faults), _POLICY)


_POLICY: Final = ScalingPolicy(min_workers=1, max_workers=60)
_ZERO: Final = ScalingPolicy(min_workers=0, max_workers=60, first_capacity=5)
_NIGHTLY: Final = ScalingPolicy(min_workers=1, max_workers=60, wait_target_s=300)
_MAKERS: Final[dict[str, Callable[[], Case]]] = {
    "constant": _constant,
    "step": _step,
    "ramp": _ramp,
    "diurnal": _diurnal,
    "burst": _burst,
    "sawtooth": _sawtooth,
    "nightly": _nightly,
    "outage": _outage,
}


def _trace(name: str, about: str, rates: Sequence[float]) -> Trace:
    seed = list(_MAKERS).index(name) + 1
    return Trace(name=name, about=about, arrivals=counted(rates, random.Random(seed)), seed=seed)  # noqa: S311 (a simulation)
