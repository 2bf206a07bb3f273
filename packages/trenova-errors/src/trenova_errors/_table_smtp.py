"""SMTP replies (RFC 5321 section 4.2.1) and what their finer codes mean where that differs from the class.

4yz is transient and 5yz permanent by definition; the registry of enhanced status codes is RFC 3463.
"""

from typing import Final

from trenova_errors._decision import Decision, rows

_TABLE: Final = """\
# key kind name
4yz unavailable transient negative completion
421 unavailable service not available, closing the channel
450 unavailable mailbox unavailable for now
451 unavailable local error in processing
452 throttle insufficient system storage or too many recipients
454 unavailable temporary authentication failure
455 unavailable parameters not accommodated for now
5yz invalid_input permanent negative completion
500 configuration syntax error, command unrecognized
501 invalid_input syntax error in parameters
502 configuration command not implemented
503 configuration bad sequence of commands
504 configuration command parameter not implemented
521 configuration host does not accept mail
523 payload_too_large encryption needed or message too large
530 configuration authentication required
534 configuration authentication mechanism is too weak
535 configuration authentication credentials invalid
538 configuration encryption required for the mechanism
541 invalid_input recipient rejected as spam
550 resource_not_found mailbox unavailable
551 resource_not_found user not local
552 payload_too_large exceeded storage allocation
553 invalid_input mailbox name not allowed
554 non_retryable transaction failed
555 invalid_input parameters not recognized
556 configuration domain does not accept mail
"""

SMTP: Final[dict[str, Decision]] = dict(rows(_TABLE))
"""By reply code; ``4yz`` and ``5yz`` are what every other code of their class means."""


def smtp_decision(code: int) -> Decision | None:
    """Return what a reply means, or None for one that is no failure (below 400) or no SMTP reply."""
    if not 400 <= code <= 599:  # noqa: PLR2004 - the two classes of RFC 5321
        return None
    return SMTP.get(str(code)) or SMTP[f"{code // 100}yz"]
