import asyncio

import pytest

from trenova_workers.routing import LoadOptions, QueueLoads, Reading


class Server:
    """Says what it is told to say, when it is let; counts what it is asked."""

    def __init__(self):
        self.now = 1000.0
        self.asked = []
        self.answers = {}
        self.at_once = self.most_at_once = 0
        self.open = asyncio.Event()
        self.open.set()

    def clock(self):
        return self.now

    async def read(self, queue):
        self.asked.append(queue)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.open.wait()
        finally:
            self.at_once -= 1
        answer = self.answers.get(queue, (1, 0.5, 1.0, 1.0))
        if isinstance(answer, Exception):
            raise answer
        return Reading.of(self.now, *answer)


@pytest.fixture
def server():
    return Server()


def loads_of(server, **options):
    return QueueLoads(server, options=LoadOptions(**options), clock=server.clock, random=lambda: 0.0)


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_queue_is_asked_about_once_in_a_period_however_many_starts_there_are(server):
    loads = loads_of(server)
    for _ in range(50):
        await loads.prepare(["a", "b"])
        server.now += 0.1
    assert sorted(server.asked) == ["a", "b"]
    server.now += 1
    await loads.prepare(["a", "b"])
    await settle()
    assert sorted(server.asked) == ["a", "a", "b", "b"]


async def test_without_starts_nothing_is_asked(server):
    loads = loads_of(server)
    await loads.prepare(["a"])
    server.now += 600
    await settle()
    assert server.asked == ["a"]


async def test_questions_under_way_are_bounded(server):
    loads = loads_of(server, at_once=3, first_reading_s=0)
    server.open.clear()
    await loads.prepare([f"q{number}" for number in range(10)])
    await settle()
    assert server.at_once == 3
    server.open.set()
    await settle()
    assert len(server.asked) == 10
    assert server.most_at_once == 3


async def test_a_start_waits_for_the_first_figures_and_not_for_later_ones(server):
    loads = loads_of(server, first_reading_s=5)
    await loads.prepare(["a"])
    assert loads.wait_s("a") == 0.5 + 0.5  # a task that waits and one a second that is taken: a second
    server.open.clear()
    server.now += 6
    await asyncio.wait_for(loads.prepare(["a"]), 1)
    server.open.set()
    await settle()


async def test_a_server_that_does_not_answer_holds_a_start_up_only_briefly(server):
    loads = loads_of(server, first_reading_s=0.05)
    server.open.clear()
    began = asyncio.get_running_loop().time()
    await loads.prepare(["a"])
    assert asyncio.get_running_loop().time() - began < 0.5
    assert loads.wait_s("a") is None
    assert loads.pick("g", ("a", "b")).level
    server.open.set()
    await settle()


async def test_a_server_that_refuses_is_asked_again_only_after_a_period(server):
    loads = loads_of(server)
    server.answers["a"] = RuntimeError("gone")
    for _ in range(5):
        await loads.prepare(["a"])
    assert server.asked == ["a"]
    assert loads.wait_s("a") is None


async def test_a_first_answer_of_nothing_may_be_that_of_a_queue_not_yet_there_and_is_not_believed(server):
    loads = loads_of(server)
    server.answers["a"] = (0, 0.0, 0.0, 0.0)
    await loads.prepare(["a"])
    assert loads.wait_s("a") is None
    server.now += 5
    await loads.prepare(["a"])
    assert loads.wait_s("a") == 0


async def test_a_figure_that_is_no_number_leaves_the_last_reading_until_it_is_stale(server):
    loads = loads_of(server)
    await loads.prepare(["a"])
    server.answers["a"] = (1, 0.5, float("nan"), 1.0)
    for _ in range(3):
        server.now += 5
        await loads.prepare(["a"])
        await settle()
        assert loads.wait_s("a") == 0
    server.now += 1
    assert loads.wait_s("a") is None
