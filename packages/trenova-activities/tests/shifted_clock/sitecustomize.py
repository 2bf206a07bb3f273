"""Start-up code of a Python process whose own clock is wrong by ``SHIFTED_SECONDS``."""

import datetime as dt
import os
import time

SHIFT = int(os.environ["SHIFTED_SECONDS"])
real_time, real_ns, Real = time.time, time.time_ns, dt.datetime
time.time = lambda: real_time() + SHIFT
time.time_ns = lambda: real_ns() + SHIFT * 10**9


class Meta(type):
    def __instancecheck__(cls, value):
        return isinstance(value, Real)


class Shifted(Real, metaclass=Meta):
    __slots__ = ()

    @classmethod
    def now(cls, tz=None):
        return Real.now(tz) + dt.timedelta(seconds=SHIFT)

    @classmethod
    def utcnow(cls):
        return Real.utcnow() + dt.timedelta(seconds=SHIFT)

    @classmethod
    def today(cls):
        return cls.now()


dt.datetime = Shifted
