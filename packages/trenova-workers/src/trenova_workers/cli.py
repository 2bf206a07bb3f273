"""Command lines (extra ``[cli]``): ``trenova-workers`` itself, and the verbs that every service has."""

from typing import Any

from trenova_workers._service import Service

__all__ = ["main", "service_main"]


def service_main(service: Service[Any]) -> None:
    """Run the command line of a service: ``run``, ``prepare``, ``check``, ``demo``, ``config show``.

    Call it under ``if __name__ == "__main__":`` only, because Temporal's sandbox imports the main
    module again. It ends the process: 0 done, 1 failed, 2 refused for a setting or an argument,
    128 + signal when a second signal cut a drain short.
    """
    from trenova_workers._cli_service import service_app
    from trenova_workers._first_process import end_when_told
    from trenova_workers._leave import leave

    end_when_told()
    try:
        service_app(service)()
    except SystemExit as end:
        leave(end.code if isinstance(end.code, int) else int(end.code is not None))


def main() -> None:
    """Run ``trenova-workers``."""
    from trenova_workers._cli_workers import workers_app

    workers_app()()
