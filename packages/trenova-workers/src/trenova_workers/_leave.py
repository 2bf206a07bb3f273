"""Ends a process that has used the SDK.

The SDK's native threads call into Python, and before Python 3.14 one that still does so while the interpreter
finalizes aborts the process (python/cpython#87135). Measured with SDK 1.35 on Python 3.11: a program that ends
right after its last call to the SDK ends with SIGABRT or SIGSEGV about once in six times.
"""

import atexit
import contextlib
import os
import sys
import time
from typing import NoReturn

# The native thread that delivered the last answer is through within a few milliseconds.
_SETTLE_S = 0.1


def settle_at_exit() -> None:
    """Give native threads a moment before the interpreter finalizes. Calling it again changes nothing."""
    atexit.unregister(_settle)
    atexit.register(_settle)


def _settle() -> None:
    time.sleep(_SETTLE_S)


def leave(code: int) -> NoReturn:
    """Run exit handlers, flush, and end without finalizing; threads of cut off activities end too."""
    atexit.unregister(_settle)
    atexit._run_exitfuncs()  # noqa: SLF001 (exporters and log handlers write what they still hold)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
