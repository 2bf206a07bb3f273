"""Run as a script: wait for the word of the manager, then become the command given.

Usage: ``python -I -S _birth.py FD COMMAND [ARGUMENT ...]``

The manager writes the process into its records first and the byte after that. If it is killed in between, the pipe
closes without the byte and this process ends, so that there is never a worker that is in no record.
Imports nothing of the package: it must cost milliseconds.
"""

import os
import sys

NEVER_BORN = 120
"""Status of a process that was not told to become a worker."""


def main() -> None:
    """Become ``sys.argv[2:]``; exit 120 without the word, 127 when the command cannot run."""
    reader, command = int(sys.argv[1]), sys.argv[2:]
    told = os.read(reader, 1)
    os.close(reader)
    if not told:
        os._exit(NEVER_BORN)
    try:
        os.execvp(command[0], command)  # noqa: S606  # the point of this script
    except OSError as error:
        sys.stderr.write(f"cannot start {command[0]!r}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main()
