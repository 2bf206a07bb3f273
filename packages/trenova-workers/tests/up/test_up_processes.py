import asyncio
import os
import sys

import psutil

from trenova_workers._up._processes import Processes

TETHER = [sys.executable, "-I", "-S"]


async def run(code, **how):
    out, err = [], []
    child = await Processes().spawn([sys.executable, "-c", code], os.environ, out=out.append, err=err.append, **how)
    return await child.wait(), out, err, child


async def test_lines_arrive_apart_whole_and_with_the_last_one_unfinished():
    status, out, err, child = await run("import sys; print('a\\nb', end=''); print('c\\r', file=sys.stderr)")

    assert (status, out, err, list(child.tail)) == (0, ["a", "b"], ["c"], ["c"])


async def test_a_line_without_end_is_delivered_in_parts():
    _, out, _, _ = await run("print('x' * 500_000, flush=True); print('after')")

    assert sum(map(len, out[:-1])) == 500_000
    assert out[-1] == "after"
    assert max(map(len, out)) < 200_000


async def test_bytes_that_are_no_text_are_replaced():
    _, out, _, _ = await run("import os; os.write(1, b'\\xff\\xfe\\n')")

    assert out == ["\ufffd\ufffd"]


async def test_what_a_child_leaves_behind_ends_with_it():
    code = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid)"

    async with asyncio.timeout(10):
        status, out, _, _ = await run(code)

    assert status == 0
    await asyncio.sleep(0.1)
    assert not psutil.pid_exists(int(out[0])) or psutil.Process(int(out[0])).status() == psutil.STATUS_ZOMBIE


async def test_a_child_that_will_not_end_is_killed():
    ready = asyncio.Event()
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('x', flush=True); time.sleep(60)"
    processes = Processes()
    child = await processes.spawn([sys.executable, "-c", code], os.environ, out=lambda _: ready.set())
    await ready.wait()

    assert not await child.stop(0.2)

    assert await child.wait() == -9
    assert processes.running == []


async def test_a_program_that_is_missing_is_named():
    err = []

    child = await Processes().spawn(["/nowhere/temporal"], os.environ, err=err.append)

    assert await child.wait() == 127
    assert err == ["cannot start '/nowhere/temporal': No such file or directory"]


async def test_a_child_whose_parent_is_already_gone_ends_at_once():
    from trenova_workers._up import _processes

    process = await asyncio.create_subprocess_exec(*TETHER, str(_processes._TETHER), "1", "/bin/echo", "ran")

    assert await process.wait() == 137


async def test_a_child_does_not_hear_the_terminal():
    _, out, _, child = await run("import os; print(os.getsid(0) == os.getpid())")

    assert out == ["True"]
    assert not child.running
