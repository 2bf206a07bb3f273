"""SQLite's result codes, primary and extended (sqlite.org/rescode.html), by name.

An extended code that is not listed means what its primary code (the low eight bits) means.
"""

from typing import Final

from trenova_errors._decision import Decision, rows

_TABLE: Final = """\
# key kind name
SQLITE_ERROR configuration a statement does not fit the schema
SQLITE_ERROR_RETRY retryable a statement has to be prepared again
SQLITE_ERROR_SNAPSHOT retryable the snapshot is gone
SQLITE_ERROR_MISSING_COLLSEQ configuration a collation is missing
SQLITE_INTERNAL retryable internal error
SQLITE_PERM configuration the file may not be used
SQLITE_ABORT retryable the statement was aborted
SQLITE_BUSY retryable another connection holds the lock
SQLITE_LOCKED retryable a table is locked by the same connection or cache
SQLITE_NOMEM unavailable out of memory
SQLITE_READONLY configuration the database is read-only
SQLITE_READONLY_RECOVERY unavailable the log needs recovery by a writer
SQLITE_READONLY_CANTLOCK unavailable the lock file cannot be had
SQLITE_INTERRUPT retryable interrupted
SQLITE_IOERR unavailable the disk failed
SQLITE_IOERR_NOMEM unavailable out of memory
SQLITE_CORRUPT data_integrity the database is damaged
SQLITE_NOTFOUND configuration unknown operation
SQLITE_FULL unavailable the disk is full
SQLITE_CANTOPEN configuration the file cannot be opened
SQLITE_PROTOCOL retryable the locking protocol lost a race
SQLITE_EMPTY non_retryable empty
SQLITE_SCHEMA retryable the schema changed meanwhile
SQLITE_TOOBIG payload_too_large a string or blob is too large
SQLITE_CONSTRAINT data_integrity a constraint was violated
SQLITE_MISMATCH invalid_input a value has the wrong type
SQLITE_MISUSE non_retryable the library was misused
SQLITE_NOLFS configuration large files are not supported
SQLITE_AUTH configuration the authorizer refused
SQLITE_FORMAT non_retryable not used
SQLITE_RANGE non_retryable a parameter index is out of range
SQLITE_NOTADB configuration the file is no database
SQLITE_NOTICE retryable notice
SQLITE_WARNING retryable warning
"""

SQLITE: Final[dict[str, Decision]] = dict(rows(_TABLE))
"""By name; see :func:`sqlite_decision` for those that are not listed."""


def sqlite_decision(name: str) -> Decision | None:
    """Return what a result code means, by its longest listed prefix; None for a name that is no result code."""
    while name not in SQLITE and "_" in name:
        name = name.rpartition("_")[0]
    return SQLITE.get(name)
