from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import make_url

from trenova_store import StoreOptions


def test_the_url_is_never_shown_with_its_password():
    options = StoreOptions(url="postgresql://me:secret@host:5433/name")
    assert "secret" not in f"{options!r} {options.shown_url} {options.place}"
    assert options.place == "host:5433/name"
    assert make_url(options.url).password == "secret"


@pytest.mark.parametrize(
    ("url", "completed"),
    [
        ("sqlite:///a.db", "sqlite+aiosqlite:///a.db"),
        ("postgresql://u:p@h/n", "postgresql+asyncpg://u:p@h/n"),
        ("postgresql+asyncpg://h/n?ssl=require", "postgresql+asyncpg://h/n?ssl=require"),
    ],
)
def test_urls_are_completed_with_the_drivers(url, completed):
    assert StoreOptions(url=url).url == completed


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "is not a database URL"),
        ("postgresql://tms:secret@.../tms", "has no host name between '@' and '/'"),
        (f"postgresql://tms:secret@{'h' * 64}/tms", "has no host name between '@' and '/'"),
        ("postgres://h/n", "write 'postgresql'"),
        ("mysql://u:secret@h/n", "is for 'mysql'; this package speaks postgresql and sqlite"),
        ("postgresql+psycopg://u:secret@h/n", "asks for the driver 'psycopg'; for postgresql use 'asyncpg'"),
    ],
)
def test_other_urls_are_refused_in_words_and_without_their_password(url, said):
    with pytest.raises(ValidationError) as caught:
        StoreOptions(url=url)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_folder_of_the_data_is_put_in_place():
    options = StoreOptions(url="sqlite:///{data_dir}/tms.db").within(Path("/var/lib/a b"))
    assert options.place == "/var/lib/a b/tms.db"
