"""SQLite's result codes, primary and extended (sqlite.org/rescode.html), by name.

A code of a newer SQLite that is not listed means what its primary code (the low eight bits) means.
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
SQLITE_ABORT_ROLLBACK retryable another statement rolled the transaction back
SQLITE_BUSY retryable another connection holds the lock
SQLITE_BUSY_RECOVERY retryable another process recovers the log
SQLITE_BUSY_SNAPSHOT retryable another connection wrote since this one read
SQLITE_BUSY_TIMEOUT retryable a lock was not had in time
SQLITE_LOCKED retryable a table is locked by the same connection or cache
SQLITE_LOCKED_SHAREDCACHE retryable another connection of the cache holds the table
SQLITE_LOCKED_VTAB retryable a virtual table is locked
SQLITE_NOMEM unavailable out of memory
SQLITE_READONLY configuration the database is read-only
SQLITE_READONLY_RECOVERY unavailable the log needs recovery by a writer
SQLITE_READONLY_CANTLOCK unavailable the lock file cannot be had
SQLITE_READONLY_ROLLBACK unavailable a hot journal needs a writer
SQLITE_READONLY_DBMOVED unavailable the file was moved while it was open
SQLITE_READONLY_CANTINIT unavailable shared memory cannot be set up
SQLITE_READONLY_DIRECTORY configuration the directory is read-only
SQLITE_INTERRUPT retryable interrupted
SQLITE_IOERR unavailable the disk failed
SQLITE_IOERR_NOMEM unavailable out of memory
SQLITE_IOERR_ACCESS unavailable a file's access cannot be asked
SQLITE_IOERR_AUTH configuration the file system refused
SQLITE_IOERR_BEGIN_ATOMIC unavailable an atomic write cannot begin
SQLITE_IOERR_BLOCKED retryable not used any more
SQLITE_IOERR_CHECKRESERVEDLOCK unavailable a lock cannot be asked
SQLITE_IOERR_CLOSE unavailable a file cannot be closed
SQLITE_IOERR_COMMIT_ATOMIC unavailable an atomic write cannot be committed
SQLITE_IOERR_CONVPATH configuration a path cannot be converted
SQLITE_IOERR_CORRUPTFS data_integrity the file system is damaged
SQLITE_IOERR_DATA data_integrity a page's checksum is wrong
SQLITE_IOERR_DELETE unavailable a file cannot be deleted
SQLITE_IOERR_DELETE_NOENT unavailable a file was deleted before
SQLITE_IOERR_DIR_CLOSE unavailable not used any more
SQLITE_IOERR_DIR_FSYNC unavailable a directory cannot be synchronized
SQLITE_IOERR_FSTAT unavailable a file's size cannot be asked
SQLITE_IOERR_FSYNC unavailable a file cannot be synchronized
SQLITE_IOERR_GETTEMPPATH configuration no folder for temporary files
SQLITE_IOERR_IN_PAGE unavailable a mapped page cannot be read
SQLITE_IOERR_LOCK unavailable a lock cannot be had
SQLITE_IOERR_MMAP unavailable a file cannot be mapped
SQLITE_IOERR_RDLOCK unavailable a read lock cannot be had
SQLITE_IOERR_READ unavailable a file cannot be read
SQLITE_IOERR_ROLLBACK_ATOMIC unavailable an atomic write cannot be rolled back
SQLITE_IOERR_SEEK unavailable a file cannot be positioned
SQLITE_IOERR_SHMLOCK unavailable not used any more
SQLITE_IOERR_SHMMAP unavailable shared memory cannot be mapped
SQLITE_IOERR_SHMOPEN unavailable shared memory cannot be opened
SQLITE_IOERR_SHMSIZE unavailable shared memory cannot grow; the disk may be full
SQLITE_IOERR_SHORT_READ unavailable a file ended early
SQLITE_IOERR_TRUNCATE unavailable a file cannot be cut
SQLITE_IOERR_UNLOCK unavailable a lock cannot be released
SQLITE_IOERR_VNODE unavailable a file was renamed or removed
SQLITE_IOERR_WRITE unavailable a file cannot be written
SQLITE_CORRUPT data_integrity the database is damaged
SQLITE_CORRUPT_INDEX data_integrity an index is damaged
SQLITE_CORRUPT_SEQUENCE data_integrity the table of sequences is damaged
SQLITE_CORRUPT_VTAB data_integrity a virtual table is damaged
SQLITE_NOTFOUND configuration unknown operation
SQLITE_FULL unavailable the disk is full
SQLITE_CANTOPEN configuration the file cannot be opened
SQLITE_CANTOPEN_CONVPATH configuration a path cannot be converted
SQLITE_CANTOPEN_DIRTYWAL unavailable not used any more
SQLITE_CANTOPEN_FULLPATH configuration the full path cannot be had
SQLITE_CANTOPEN_ISDIR configuration the file is a directory
SQLITE_CANTOPEN_NOTEMPDIR configuration no folder for temporary files
SQLITE_CANTOPEN_SYMLINK configuration the file is a symbolic link
SQLITE_PROTOCOL retryable the locking protocol lost a race
SQLITE_EMPTY non_retryable empty
SQLITE_SCHEMA retryable the schema changed meanwhile
SQLITE_TOOBIG payload_too_large a string or blob is too large
SQLITE_CONSTRAINT data_integrity a constraint was violated
SQLITE_CONSTRAINT_CHECK data_integrity a check constraint was violated
SQLITE_CONSTRAINT_COMMITHOOK data_integrity a commit hook refused
SQLITE_CONSTRAINT_DATATYPE data_integrity a value has not the type of its strict column
SQLITE_CONSTRAINT_FOREIGNKEY data_integrity a foreign key was violated
SQLITE_CONSTRAINT_FUNCTION data_integrity a function refused
SQLITE_CONSTRAINT_NOTNULL data_integrity a value is missing
SQLITE_CONSTRAINT_PINNED data_integrity a trigger changed the row being deleted
SQLITE_CONSTRAINT_PRIMARYKEY data_integrity a primary key exists
SQLITE_CONSTRAINT_ROWID data_integrity a row number exists
SQLITE_CONSTRAINT_TRIGGER data_integrity a trigger refused
SQLITE_CONSTRAINT_UNIQUE data_integrity a unique value exists
SQLITE_CONSTRAINT_VTAB data_integrity a virtual table refused
SQLITE_MISMATCH invalid_input a value has the wrong type
SQLITE_MISUSE non_retryable the library was misused
SQLITE_NOLFS configuration large files are not supported
SQLITE_AUTH configuration the authorizer refused
SQLITE_AUTH_USER configuration the user is not authorized
SQLITE_FORMAT non_retryable not used
SQLITE_RANGE non_retryable a parameter index is out of range
SQLITE_NOTADB configuration the file is no database
SQLITE_NOTICE retryable notice
SQLITE_NOTICE_RECOVER_ROLLBACK retryable a journal was rolled back
SQLITE_NOTICE_RECOVER_WAL retryable a log was recovered
SQLITE_NOTICE_RBU retryable a bulk update goes on
SQLITE_WARNING retryable warning
SQLITE_WARNING_AUTOINDEX retryable an automatic index was made
"""

SQLITE: Final[dict[str, Decision]] = dict(rows(_TABLE))
"""By name; see :func:`sqlite_decision` for those that are not listed."""


def sqlite_decision(name: str) -> Decision | None:
    """Return what a result code means, by its longest listed prefix; None for a name that is no result code."""
    while name not in SQLITE and "_" in name:
        name = name.rpartition("_")[0]
    return SQLITE.get(name)
