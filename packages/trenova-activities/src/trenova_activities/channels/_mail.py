"""Mails: what a message looks like to its reader, the same in every attempt."""

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined, select_autoescape
from jinja2.exceptions import TemplateError

from trenova_activities.channels._message import Message
from trenova_activities.channels._options import EmailOptions, checked_address
from trenova_errors import ConfigurationError, InvalidInputError

_SUBJECT_LENGTH: Final = 200
_URGENT: Final = {"critical": "1", "high": "2"}


class MailWriter:
    """Writes mails from templates: ``<event type>.html.j2`` and ``.txt.j2``, or else ``default``.

    HTML is escaped; a template sees ``message`` (:class:`Message`), ``link`` (a function of a relative URL) and nothing
    else.

    Args:
        options: Sender, links and a folder of templates that win over ours.
    """

    def __init__(self, options: EmailOptions) -> None:
        self._options = options
        self._sender = Address(options.sender_name, addr_spec=options.sender)
        folders = [] if options.templates is None else [FileSystemLoader(options.templates)]
        self._environment = Environment(
            loader=ChoiceLoader([*folders, PackageLoader("trenova_activities.channels")]),
            autoescape=select_autoescape(("html", "html.j2")),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def write(self, message: Message, to: str) -> EmailMessage:
        """Return the mail.

        Raises:
            InvalidInputError: The address cannot be used.
            ConfigurationError: A template is wrong.
        """
        try:
            recipient = Address(addr_spec=checked_address(to))
        except ValueError:
            raise InvalidInputError("The user's mail address cannot be used. Correct it in the TMS.") from None
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._sender
        mail["To"] = recipient
        mail["Subject"] = _one_line(message.title)[:_SUBJECT_LENGTH] or "Notification"
        mail["Date"] = format_datetime(datetime.fromtimestamp(message.created_at, UTC))
        mail["Message-ID"] = self.message_id(message)
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Trenova-Delivery"] = message.id
        if message.priority in _URGENT:
            mail["X-Priority"] = _URGENT[message.priority]
        mail.set_content(self._body(message, "txt"), cte="quoted-printable")
        mail.add_alternative(self._body(message, "html"), subtype="html", cte="quoted-printable")
        mail.set_boundary(f"=_{message.id}")
        return mail

    def message_id(self, message: Message) -> str:
        """Return the id that every attempt of this delivery has."""
        domain = self._options.message_id_domain or self._options.sender.partition("@")[2]
        return f"<{message.id}@{domain}>"

    def _body(self, message: Message, kind: str) -> str:
        try:
            template = self._environment.select_template([f"{message.event_type}.{kind}.j2", f"default.{kind}.j2"])
            return template.render(message=message, link=self._link)
        except TemplateError as error:
            raise ConfigurationError(
                f"The {kind} template of {message.event_type!r} cannot be used ({type(error).__name__}). Correct it."
            ) from error

    def _link(self, url: Any) -> str:
        """Return the whole link of a URL relative to the TMS; nothing for what leads anywhere else."""
        base, relative = self._options.link_base, str(url or "")
        within = relative.startswith("/") and not relative.startswith(("//", "/\\")) and relative.isprintable()
        return f"{base}{relative}" if base and within else ""


def _one_line(text: str) -> str:
    """Return the text without line breaks and control characters, which would begin another header."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
