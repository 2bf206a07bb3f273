"""What a running server tells its user: on the terminal, and in a file of the data folder for programs."""

from contextlib import suppress
from pathlib import Path
from typing import Final

from trenova_access import SignIn, sign_in_link, write_private

FILE: Final = "codec-server.json"


def announce(file: Path, url: str, sign_in: SignIn | None) -> str:
    """Write the file, readable by this user only, and return the address to open in a browser.

    ::

        {"url": "http://127.0.0.1:8234", "sign_in": "http://127.0.0.1:8234/sign-in#...", "key": "..."}

    ``sign_in`` works once, ``key`` is a bearer token for as long as the server runs; both are there only
    where people of this machine may sign in.
    """
    content = {"url": url}
    if sign_in:
        content |= {"sign_in": sign_in_link(url, sign_in.new_link()), "key": sign_in.key}
    write_private(file, content)
    return content.get("sign_in", url)


def withdraw(file: Path) -> None:
    """Remove the file: what it holds opens nothing any more."""
    with suppress(OSError):
        file.unlink()
