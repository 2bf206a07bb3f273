"""What a running server tells its user: on the terminal, and in a file for programs of this user."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trenova_access._access import Access
from trenova_access._next import SIGN_IN_PATH
from trenova_access._pages import sign_in_link
from trenova_access._private_file import write_private
from trenova_access.serving._open import OpenAccess
from trenova_errors import ConfigurationError


@contextmanager
def announced(
    file: Path, url: str, access: Access, *, server: str = "The server", pages: bool = True
) -> Iterator[list[str]]:
    """Leave the address in a file for the length of a block; yields the lines that say how to sign in.

    ::

        {"url": "http://127.0.0.1:8235", "sign_in": "http://127.0.0.1:8235/sign-in#...", "key": "..."}

    The file is readable by this user only. ``sign_in`` works once, ``key`` is a bearer token for as long as the server
    runs; both are there only where people of this machine may sign in. Afterwards the file is removed, as what it
    holds opens nothing any more.

    Args:
        file: Where; its folder is made.
        url: Of the server, which listens.
        access: Of the server.
        server: What to call it in a message.
        pages: Whether it has any to look at; without them the lines name no link.

    Raises:
        ConfigurationError: The file cannot be written.
    """
    content = {"url": url}
    sign_in = None if isinstance(access, OpenAccess) else access.sign_in
    if sign_in is not None:
        content |= {"sign_in": sign_in_link(url, sign_in.new_link()), "key": sign_in.key}
    try:
        write_private(file, content)
    except OSError as error:
        raise ConfigurationError(
            f"{server} cannot leave its address in {str(file)!r}: {error.strerror}. Choose a folder that this user "
            "may write, with --data-dir.",
            path=str(file),
        ) from None
    try:
        yield _lines(file, url, access, content.get("sign_in"), pages=pages)
    finally:
        with suppress(OSError):
            file.unlink()


def _lines(file: Path, url: str, access: Access, link: str | None, *, pages: bool) -> list[str]:
    if isinstance(access, OpenAccess):
        return ["nobody has to sign in: whoever reaches this machine's loopback may do everything"]
    lines = []
    if link is not None:
        lines += [f"sign in once  {link}"] if pages else []
        lines.append(f"for programs  the bearer token `key` in {file}")
    if pages and access.oidc is not None:
        told = access.oidc.options
        lines.append(f"sign in at    {told.public_url or url}{SIGN_IN_PATH}  ({told.issuer})")
    return lines
