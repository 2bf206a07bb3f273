"""Workers as processes of this machine, which outlive the manager that started them."""

from trenova_workers.pool.processes._backend import ProcessBackend

__all__ = ["ProcessBackend"]
