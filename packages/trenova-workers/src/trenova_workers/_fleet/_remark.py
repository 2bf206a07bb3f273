"""Something about the fleet that somebody should know."""

import logging
from dataclasses import dataclass, field

_log = logging.getLogger("trenova_workers.fleet")


@dataclass(frozen=True)
class Remark:
    """One observation.

    Attributes:
        subject: What it is about, in two or three words.
        event: What was seen, as a line of a log says it.
        text: All of it in one sentence or two: what was seen, where, and what to do when it is wrong.
        wrong: False for what is as it may be, or could not be seen.
        facts: Keys of the log line.
    """

    subject: str
    event: str
    text: str
    wrong: bool
    facts: dict[str, str] = field(default_factory=dict)

    def log(self) -> None:
        """Write one line: an error for what is wrong, else a warning."""
        level = logging.ERROR if self.wrong else logging.WARNING
        _log.log(level, self.event, extra={**self.facts, "detail": self.text})
