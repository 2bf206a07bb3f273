"""Every code and every exception class of the libraries we know is decided; a new one fails here until it is."""

import errno
import http
import smtplib
import socket
import sqlite3
from importlib.metadata import version
from types import ModuleType

import aiohttp
import aiosmtplib
import asyncpg.exceptions
import botocore.exceptions
import grpc
import httpx
import psycopg.errors
import pytest
import redis.exceptions
import requests.exceptions
import sqlalchemy.exc
from temporalio.service import RPCStatusCode

from trenova_errors._table_errno import ADDRESSES, ERRNOS
from trenova_errors._table_grpc import GRPC, NUMBERS
from trenova_errors._table_http import HTTP
from trenova_errors._table_smtp import SMTP
from trenova_errors._table_sqlite import SQLITE, sqlite_decision
from trenova_errors._table_sqlstate import SQLSTATES
from trenova_errors._type_decisions import TYPES, qualified_name, type_decision

_PRIMARY = 101
"""SQLite's result codes are those below SQLITE_DONE and their extensions, the rest of its numbers are other things."""
_ACTIONS = ("SQLITE_LIMIT_", "SQLITE_DBCONFIG_", "SQLITE_CREATE_", "SQLITE_DROP_")
_READ = {"aiohttp": (3, 14), "botocore": (1, 44), "redis": (8, 1), "sqlalchemy": (2, 1)}
"""The releases that the tables were read from; an older one lacks some of the classes."""


def test_every_sqlstate_of_psycopg_is_decided():
    known = {
        cls.sqlstate
        for cls in vars(psycopg.errors).values()
        if isinstance(cls, type) and isinstance(getattr(cls, "sqlstate", None), str)
    }

    assert len(known) > 250
    assert known - set(SQLSTATES) == set()


def test_every_sqlstate_of_asyncpg_that_is_an_error_is_decided():
    known = {
        cls.sqlstate
        for cls in vars(asyncpg.exceptions).values()
        if isinstance(cls, type) and isinstance(getattr(cls, "sqlstate", None), str)
    }
    warnings = {state for state in known if state.startswith("01")}

    assert known - warnings - set(SQLSTATES) == set()


def test_every_grpc_code_is_decided_and_has_its_number():
    assert set(GRPC) == {code.name for code in grpc.StatusCode} - {"OK"}
    assert {code.name: code.value[0] for code in grpc.StatusCode} == {name: at for at, name in enumerate(NUMBERS)}
    assert {code.name: int(code) for code in RPCStatusCode} == {name: at for at, name in enumerate(NUMBERS)}


def test_every_http_status_from_400_to_599_is_decided_and_the_registered_ones_by_name():
    assert set(HTTP) == set(range(400, 600))
    unnamed = {status for status in http.HTTPStatus if status >= 400 and "unregistered" in HTTP[status].name}
    assert unnamed == set()


def test_every_errno_of_this_platform_is_decided_once():
    assert set(errno.errorcode.values()) - set(ERRNOS) == set()


def test_every_code_of_name_resolution_is_decided():
    assert {name for name in dir(socket) if name.startswith("EAI_")} - set(ADDRESSES) == set()


def test_every_result_code_of_sqlite_is_decided():
    codes = {
        name
        for name, value in vars(sqlite3).items()
        if name.startswith("SQLITE_") and isinstance(value, int) and not name.startswith(_ACTIONS)
    }
    results = {name for name in codes if name.count("_") > 1 or vars(sqlite3)[name] & 0xFF < _PRIMARY}
    others = {
        *("SQLITE_OK", "SQLITE_DENY", "SQLITE_IGNORE", "SQLITE_ROW", "SQLITE_DONE", "SQLITE_OK_SYMLINK"),
        *("SQLITE_OK_LOAD_PERMANENTLY", "SQLITE_AUTH_USER"),
    }
    actions = {
        *("ALTER_TABLE", "ANALYZE", "ATTACH", "DELETE", "DETACH", "FUNCTION", "INSERT", "PRAGMA", "READ", "RECURSIVE"),
        *("REINDEX", "SAVEPOINT", "SELECT", "TRANSACTION", "UPDATE"),
    }

    undecided = results - others - {f"SQLITE_{action}" for action in actions} - set(SQLITE)
    assert undecided == set()


def test_a_result_code_of_a_newer_sqlite_means_what_its_primary_code_means():
    assert sqlite_decision("SQLITE_BUSY_OF_TOMORROW") == SQLITE["SQLITE_BUSY"]
    assert sqlite_decision("SQLITE_OF_TOMORROW") is None


def test_every_class_of_smtp_replies_is_decided():
    assert {"4yz", "5yz"} <= set(SMTP)


@pytest.mark.parametrize(
    "module",
    [aiohttp, aiosmtplib, asyncpg.exceptions, botocore.exceptions, httpx, psycopg, redis.exceptions],
    ids=lambda module: module.__name__,
)
def test_every_exception_of_a_library_is_decided(module: ModuleType):
    assert _undecided(module) == set()


@pytest.mark.parametrize("module", [requests.exceptions, smtplib, sqlalchemy.exc], ids=lambda module: module.__name__)
def test_every_exception_is_decided_by_an_entry_of_its_own_library(module: ModuleType):
    assert _undecided(module) == set()
    own = module.__name__.partition(".")[0]
    strangers = {name for name, cls in _errors(module).items() if not _entry(cls).startswith((own, "urllib3", "json"))}
    assert strangers == set()


def test_a_class_that_a_library_derives_from_its_root_tomorrow_is_undecided():
    tomorrow = ModuleType("httpx")
    tomorrow.NewError = type("NewError", (httpx.HTTPError,), {"__module__": "httpx"})

    assert _undecided(tomorrow) == {"NewError"}


def test_every_entry_for_a_library_that_is_installed_names_a_class_that_exists():
    modules = [aiohttp, aiosmtplib, asyncpg.exceptions, botocore.exceptions, httpx, psycopg, psycopg.errors]
    modules += [redis.exceptions, requests.exceptions, smtplib, sqlalchemy.exc]
    there = {qualified_name(cls) for module in modules for cls in _errors(module).values()}
    prefixes = tuple({name.rpartition(".")[0] + "." for name in there} - {"json.decoder.", "urllib3.exceptions."})
    older = tuple(f"{library}." for library, read in _READ.items() if _release(library) < read)

    entries = {name for name in TYPES if name.startswith(prefixes) and not name.startswith(older)}
    assert entries - there - {"aiohttp.streams.EofStream"} == set()


def _release(library: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version(library).split(".")[:2])


def _errors(module: ModuleType) -> dict[str, type[BaseException]]:
    return {
        name: cls
        for name, cls in vars(module).items()
        if isinstance(cls, type) and issubclass(cls, Exception) and not issubclass(cls, (Warning, psycopg.Warning))
    }


def _entry(cls: type[BaseException]) -> str:
    found = type_decision(cls)
    return found[0] if found else ""


def _undecided(module: ModuleType) -> set[str]:
    """Return the classes without an entry of their own; one that carries a SQLSTATE goes by that.

    That a base has one is not enough: a class that a new release derives from its library's root has to be looked at.
    """
    return {
        name
        for name, cls in _errors(module).items()
        if qualified_name(cls) not in TYPES and not isinstance(getattr(cls, "sqlstate", None), str)
    }
