"""Ten minutes of a group of two queues, against the choice itself: time is a number and nothing waits."""

import random
from collections import deque
from dataclasses import dataclass, field

import pytest

from trenova_workers.routing import LoadOptions, QueueView, Reading, choose

STEP_S = 0.05
CACHE_S = 5.0
WINDOW_S = 30.0
OPTIONS = LoadOptions()


@dataclass
class Queue:
    """First in, first out; tells what the server tells, as late as the server."""

    per_second: float
    waiting: deque = field(default_factory=deque)
    added: deque = field(default_factory=deque)
    taken: deque = field(default_factory=deque)
    longest_wait: float = 0.0
    _credit: float = 0.0
    _answer: tuple = ()
    _answered: float = -99.0

    def put(self, now):
        self.waiting.append(now)
        self.added.append(now)

    def work(self, now):
        most = max(1.0, self.per_second * STEP_S)
        self._credit = min(self._credit + self.per_second * STEP_S, most)
        while self._credit >= 1 and self.waiting:
            self._credit -= 1
            self.longest_wait = max(self.longest_wait, now - self.waiting.popleft())
            self.taken.append(now)

    def reading(self, now):
        if now - self._answered >= CACHE_S:
            rates = [self._rate(times, now) for times in (self.added, self.taken)]
            age = now - self.waiting[0] if self.waiting else 0.0
            self._answer, self._answered = (len(self.waiting), age, *rates), now
        return Reading.of(now, *self._answer)

    def _rate(self, times, now):
        while times and times[0] < now - WINDOW_S:
            times.popleft()
        return len(times) / min(WINDOW_S, max(now, 1.0))


@dataclass
class Caller:
    """A client of its own: it knows only its own starts, and asks at its own times."""

    ask_at: float
    views: dict
    behind: frozenset = frozenset()

    def look(self, queues, now):
        if now >= self.ask_at:
            self.ask_at = now + OPTIONS.period_s
            self.views = {name: seen.read(queues[name].reading(now), OPTIONS) for name, seen in self.views.items()}

    def start(self, queues, now, chance):
        choice = choose(list(self.views.values()), now, OPTIONS, behind=self.behind, random=chance.random)
        self.behind = choice.behind
        self.views[choice.queue].count()
        queues[choice.queue].put(now)
        return choice.queue


def simulate(*, rate, fast, slow, callers, seed, seconds=600.0, slow_from=30.0, slow_until=1e9):
    """Return the share of each period's starts that went to the queue that is slowed, and the queues."""
    chance = random.Random(seed)
    queues = {"steady": Queue(fast), "slowed": Queue(fast)}
    starters = [Caller(chance.random() * 5, {name: QueueView(name) for name in queues}) for _ in range(callers)]
    shares, went, due = [], [], chance.expovariate(rate)
    for step in range(int(seconds / STEP_S)):
        now = step * STEP_S
        queues["slowed"].per_second = slow if slow_from <= now < slow_until else fast
        for one in starters:
            one.look(queues, now)
        while due <= now:
            due += chance.expovariate(rate)
            went.append(chance.choice(starters).start(queues, now, chance))
        for queue in queues.values():
            queue.work(now)
        if step and step % round(OPTIONS.period_s / STEP_S) == 0:
            shares.append(went.count("slowed") / max(1, len(went)))
            went = []
    return shares, queues


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("rate", "fast", "callers"), [(8, 10, 1), (8, 10, 10), (4, 10, 1), (10, 10, 2), (40, 50, 5)])
def test_starts_leave_a_queue_slowed_tenfold_within_three_periods_and_do_not_flap(rate, fast, callers, seed):
    shares, queues = simulate(rate=rate, fast=fast, slow=fast / 10, callers=callers, seed=seed)
    before, after = shares[:6], shares[6:]

    assert 0.3 < sum(before) / len(before) < 0.7
    assert min(after[:3]) < 0.2
    later = after[2:]
    of_three = [sum(later[begin : begin + 3]) / 3 for begin in range(len(later) - 2)]
    assert max(of_three) < 0.4, "the slowed queue never gets the most again"
    assert sum(later) / len(later) < 0.3
    assert queues["slowed"].longest_wait < 45
    assert queues["steady"].longest_wait < 25


def test_a_queue_that_recovers_gets_its_share_back():
    shares, _ = simulate(rate=8, fast=10, slow=1, callers=3, seed=1, seconds=900, slow_until=200)
    end = shares[-30:]

    assert sum(shares[20:38]) / 18 < 0.3
    assert 0.4 < sum(end) / len(end) < 0.6


def test_equal_queues_stay_equal():
    shares, queues = simulate(rate=8, fast=10, slow=10, callers=3, seed=2)

    assert 0.45 < sum(shares) / len(shares) < 0.55
    assert max(queue.longest_wait for queue in queues.values()) < 10
