import asyncio
import threading

import pytest

from trenova_workers._tuning._resizable import ResizableSupplier


async def given(slots, number):
    return [await asyncio.wait_for(slots.reserve_slot(None), 2) for _ in range(number)]


async def until_waiting(slots, number):
    tasks = [asyncio.create_task(slots.reserve_slot(None)) for _ in range(number)]
    await asyncio.sleep(0)
    return tasks


async def test_no_more_slots_are_given_than_there_are():
    slots = ResizableSupplier(2)
    await given(slots, 2)

    (waiting,) = await until_waiting(slots, 1)
    assert slots.try_reserve_slot(None) is None
    slots.release_slot(None)
    await asyncio.wait_for(waiting, 2)
    assert slots.given == 2


async def test_growing_lets_those_that_wait_go_on():
    slots = ResizableSupplier(1)
    await given(slots, 1)
    waiting = await until_waiting(slots, 3)

    slots.resize(3)
    done, still = await asyncio.wait(waiting, timeout=0.2)

    assert (len(done), len(still)) == (2, 1)
    slots.resize(4)
    await asyncio.wait_for(asyncio.gather(*still), 2)


async def test_shrinking_takes_nothing_away_and_withholds_until_enough_have_come_back():
    slots = ResizableSupplier(3)
    await given(slots, 3)

    slots.resize(1)
    (waiting,) = await until_waiting(slots, 1)
    for expected in (2, 1):
        slots.release_slot(None)
        await asyncio.sleep(0.02)
        assert slots.given == expected
        assert not waiting.done()
    slots.release_slot(None)
    await asyncio.wait_for(waiting, 2)
    assert slots.given == 1


async def test_one_that_gives_up_waiting_leaves_its_turn_to_the_next():
    slots = ResizableSupplier(1)
    await given(slots, 1)
    first, second = await until_waiting(slots, 2)

    slots.release_slot(None)  # wakes the first
    first.cancel()

    await asyncio.wait_for(second, 2)
    assert first.cancelled()
    assert slots.given == 1


async def test_slots_given_back_from_other_threads_are_all_counted():
    slots = ResizableSupplier(8)

    async def work():
        await slots.reserve_slot(None)
        assert slots.given <= 8
        threading.Thread(target=slots.release_slot, args=(None,)).start()

    await asyncio.wait_for(asyncio.gather(*(work() for _ in range(300))), 20)
    await given(slots, 8 - slots.given)


def test_a_worker_without_slots_is_refused():
    with pytest.raises(ValueError, match="at least one slot, got 0"):
        ResizableSupplier(3).resize(0)
