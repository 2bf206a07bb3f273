"""Run as a script: tie this process to the one that started it, then become the command given.

Usage: ``python -I -S _tether.py PARENT_PID COMMAND [ARGUMENT ...]``

On Linux the kernel sends SIGKILL to the command when the parent dies, however it dies: nothing else reaches
one that is stopped, and the server that a drain would need is tied likewise. Asking for
that here, in a fresh process with one thread, is safe where code between fork and exec is not;
and the parent's id is looked at after asking, so that a parent which died before is noticed.
Imports nothing of the package: it must cost milliseconds.
"""

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Become ``sys.argv[2:]``; exit 137 when the parent is gone, 127 when the command cannot run."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        import ctypes

        if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            sys.exit(f"prctl(PR_SET_PDEATHSIG) failed: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        sys.exit(128 + signal.SIGKILL)
    # Python ignores these two, and what is ignored stays ignored across exec.
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606  # the point of this script
    except OSError as error:
        sys.stderr.write(f"cannot start {command[0]!r}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main()
