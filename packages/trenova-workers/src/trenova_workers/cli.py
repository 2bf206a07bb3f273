"""Command lines (extra ``[cli]``): ``trenova-workers`` itself, and the verbs that every service has."""

import os
from collections.abc import Sequence
from typing import Any

from trenova_workers._service import Service

__all__ = ["main", "service_main"]

_LAST_POLLS = ("TEMPORAL_POLL_SHUTDOWN_INTERRUPT_WAIT_MS", "1000")
"""How long the SDK's core waits in a drain for an answer to its last polls, where the server does not end them itself.

Else it breaks them off at once, and a task that is on its way is lost until its timeout.
"""


def service_main(service: Service[Any], arguments: Sequence[str] | None = None) -> None:
    """Run the command line of a service: ``run``, ``prepare``, ``check``, ``demo``, ``config show``, ``console``.

    Call it under ``if __name__ == "__main__":`` only, because Temporal's sandbox imports the main
    module again. It ends the process: 0 done, 1 failed, 2 refused for a setting or an argument,
    128 + signal when a second signal cut a drain short.

    Args:
        service: What to run.
        arguments: In place of those of the process.
    """
    from trenova_workers._cli_service import service_app
    from trenova_workers._first_process import end_when_told
    from trenova_workers._leave import leave

    end_when_told()
    os.environ.setdefault(*_LAST_POLLS)
    try:
        service_app(service)(None if arguments is None else list(arguments))
    except SystemExit as end:
        leave(end.code if isinstance(end.code, int) else int(end.code is not None))


def main() -> None:
    """Run ``trenova-workers``."""
    from trenova_workers._cli_workers import workers_app

    workers_app()()
