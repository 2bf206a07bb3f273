"""``trenova-codecs keys adopt``: for how long a ring lets pass what is not encrypted."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from trenova_codecs._cli_outcome import told
from trenova_codecs._cli_ring import Ring
from trenova_codecs._ring_changes import ADOPTION_DAYS, adopting, ended
from trenova_codecs._ring_document import RingDocument
from trenova_codecs._ring_storage import change_ring
from trenova_errors import InvalidInputError

Until = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        help=f"The last day (UTC) on which plain payloads are accepted, at most {ADOPTION_DAYS} days ahead.",
    ),
]

_NOT_ENDED = """\
It did not end what processes accept by settings of their own:
- on_plaintext: warn or allow, as services have it in dev: set codec.encryption.on_plaintext to reject
  (<SERVICE>_CODEC__ENCRYPTION__ON_PLAINTEXT=reject), and start them again;
- a day in codec.encryption.plaintext_until: take it out, and start them again.
Command line tools and 'trenova-codecs decode' go on reading it; what they write is encrypted."""


def adopt(
    *,
    ring: Ring,
    until: Until = None,
    end: Annotated[bool, typer.Option("--end", help="Take the ring's day away, from now on.")] = False,
) -> None:
    """Move the day up to which payloads that are not encrypted are accepted, or end that at once.

    It is the exemption for processes with 'on_plaintext: reject', which read it with the ring. What others accept
    by their own settings, those settings have to end: --end says how.
    """
    before: date | None = None

    def change(there: RingDocument) -> RingDocument:
        nonlocal before
        before = there.plaintext_until
        return ended(there) if end else adopted(there, until)

    with told(ring):
        if (until is None) != end:
            raise InvalidInputError("Give either --until DATE or --end.")
        document = change_ring(ring, change)
    if end:
        typer.echo(_ended(before))
        typer.echo(_NOT_ENDED)
    else:
        tell_exemption(document)


def adopted(document: RingDocument, until: datetime | None) -> RingDocument:
    """Return the ring that accepts what is not encrypted up to a day, :data:`ADOPTION_DAYS` ahead unless told.

    Raises:
        InvalidInputError: The day is past or too far ahead.
    """
    today = datetime.now(UTC).date()
    return adopting(document, until.date() if until else today + timedelta(days=ADOPTION_DAYS), today=today)


def tell_exemption(document: RingDocument) -> None:
    """Print up to when processes that reject what is not encrypted accept it all the same."""
    day = document.plaintext_until
    if day is None:
        return
    if day < datetime.now(UTC).date():
        typer.echo(f"What is not encrypted is refused since the end of {day} (UTC) where on_plaintext is reject.")
    else:
        typer.echo(f"What is not encrypted is accepted to the end of {day} (UTC), also where on_plaintext is reject.")


def _ended(before: date | None) -> str:
    if before is None:
        return "The ring had no day up to which plain payloads are accepted; nothing was ended."
    return (
        f"Ended: the ring's exemption, which was to last to {before}. A process with on_plaintext: reject refuses what "
        "is not encrypted within a second of getting this ring. Distribute it."
    )
