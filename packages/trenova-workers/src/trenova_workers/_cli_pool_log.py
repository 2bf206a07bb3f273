"""The log of ``trenova-workers pool run``, as people read it in a terminal."""

import logging
from typing import Final

_AUDIT: Final = "trenova_access.audit"
_LOCAL: Final = "local"
_VIEWER: Final = "viewer"
_PLAIN: Final = frozenset([*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "audit"])


class WithFields(logging.Formatter):
    """Puts what a line carries beside its message behind it: ``a worker crashed (pool: shipments, how: ...)``."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name in logging
        """See base class."""
        fields = [f"{name}: {value}" for name, value in vars(record).items() if name not in _PLAIN]
        line = super().formatMessage(record)
        return f"{line} ({', '.join(fields)})" if fields else line


def is_news(record: logging.LogRecord) -> bool:
    """Whether a line is more than this machine's own user having looked, which `up` and pages do all the time."""
    event = getattr(record, "audit", None)
    if record.name != _AUDIT or event is None:
        return True
    return bool((event.outcome, event.subject, event.action) != ("allowed", _LOCAL, _VIEWER))
