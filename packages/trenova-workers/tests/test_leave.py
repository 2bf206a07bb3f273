import subprocess
import sys


def test_leaving_runs_exit_handlers_flushes_and_waits_for_no_thread():
    program = (
        "import atexit, threading, time\n"
        "from trenova_workers._leave import leave\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "atexit.register(print, 'bye')\n"
        "print('result', end=' ')\n"
        "leave(3)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)

    assert (ended.returncode, ended.stdout) == (3, "result bye\n")
