"""Types of exceptions, by qualified name, so that no library is imported to recognize its exceptions.

The nearest entry of an exception's method resolution order decides. A key that ends in ``*`` is a wrapper: it only
says that something failed, so that what it was raised from is asked first. Exceptions that carry a code (a
SQLSTATE, a status, an errno) go by the code; they are here for those without one.
"""

from typing import Final

_BUILTINS: Final = """\
builtins.TimeoutError unavailable time-out
builtins.ConnectionError unavailable connection failed
builtins.OSError* retryable operating system error
builtins.FileNotFoundError configuration file not found
builtins.FileExistsError conflict file exists
builtins.NotADirectoryError configuration not a directory
builtins.IsADirectoryError configuration is a directory
builtins.PermissionError configuration operation not permitted
builtins.BlockingIOError retryable operation would block
builtins.InterruptedError retryable interrupted
builtins.ChildProcessError retryable child process failed
builtins.ProcessLookupError retryable process is gone
builtins.MemoryError unavailable out of memory
builtins.UnicodeError invalid_input text cannot be coded
builtins.UnicodeDecodeError data_integrity bytes are no text of this encoding
builtins.ModuleNotFoundError configuration module not installed
builtins.ImportError configuration module cannot be imported
builtins.EOFError unavailable stream ended early
asyncio.exceptions.IncompleteReadError unavailable stream ended early
asyncio.exceptions.LimitOverrunError payload_too_large stream limit overrun
asyncio.exceptions.QueueFull unavailable queue is full
asyncio.queues.QueueFull unavailable queue is full
asyncio.exceptions.BrokenBarrierError retryable barrier is broken
concurrent.futures.TimeoutError unavailable time-out
concurrent.futures.BrokenExecutor unavailable pool of workers is broken
concurrent.futures.thread.BrokenThreadPool unavailable pool of workers is broken
concurrent.futures.process.BrokenProcessPool unavailable pool of workers is broken
subprocess.TimeoutExpired unavailable process took too long
queue.Full unavailable queue is full
json.decoder.JSONDecodeError data_integrity no valid JSON
zlib.error data_integrity compressed data is damaged
pickle.UnpicklingError data_integrity pickled data is damaged
ssl.SSLCertVerificationError configuration certificate is not trusted
ssl.SSLError* unavailable TLS failed
ssl.SSLZeroReturnError unavailable TLS connection was closed
ssl.SSLEOFError unavailable TLS connection was cut
ssl.SSLWantReadError retryable TLS has to wait
ssl.SSLWantWriteError retryable TLS has to wait
socket.gaierror unavailable host name cannot be resolved
socket.herror unavailable host name cannot be resolved
http.client.HTTPException unavailable HTTP exchange was cut
http.client.InvalidURL invalid_input invalid URL
urllib.error.HTTPError configuration redirected wrongly
urllib.error.URLError* unavailable URL cannot be opened
urllib.error.ContentTooShortError unavailable body was cut
"""

_PYDANTIC: Final = """\
pydantic_core.ValidationError invalid_input input does not validate
pydantic_core.SchemaError configuration a model's schema is wrong
pydantic_core.PydanticSerializationError non_retryable a value cannot be serialized
pydantic.errors.PydanticUserError configuration a model is declared wrongly
"""

_DATABASES: Final = """\
sqlalchemy.exc.EmulatedDBAPIException* retryable database error
sqlalchemy.exc.DBAPIError* retryable database error
sqlalchemy.exc.DatabaseError* retryable database error
sqlalchemy.exc.InterfaceError* retryable driver was misused or lost its connection
sqlalchemy.exc.OperationalError* unavailable database operation failed
sqlalchemy.exc.DataError* invalid_input value does not fit its column
sqlalchemy.exc.IntegrityError* data_integrity constraint was violated
sqlalchemy.exc.InternalError* retryable internal error of the database
sqlalchemy.exc.ProgrammingError* configuration statement does not fit the schema
sqlalchemy.exc.NotSupportedError* configuration not supported by the database
sqlalchemy.exc.StatementError* invalid_input statement cannot be built from its parameters
sqlalchemy.exc.TimeoutError unavailable no free connection in the pool
sqlalchemy.exc.DisconnectionError unavailable connection was lost
sqlalchemy.exc.InvalidatePoolError unavailable connections of the pool were lost
sqlalchemy.exc.PendingRollbackError* retryable transaction has failed before
sqlalchemy.exc.NoResultFound resource_not_found no row
sqlalchemy.exc.MultipleResultsFound data_integrity more than one row
sqlalchemy.exc.NoDBAPILoaded configuration database driver not installed
sqlalchemy.exc.NoSuchModuleError configuration database dialect not installed
sqlalchemy.exc.NoSuchTableError configuration table is missing
sqlalchemy.exc.UnreflectableTableError configuration table cannot be reflected
sqlalchemy.exc.SQLAlchemyError non_retryable SQLAlchemy was used wrongly
sqlalchemy.exc.AmbiguousColumnError non_retryable column is ambiguous
sqlalchemy.exc.AmbiguousForeignKeysError non_retryable foreign keys are ambiguous
sqlalchemy.exc.ArgumentError non_retryable invalid argument
sqlalchemy.exc.AwaitRequired non_retryable await is missing
sqlalchemy.exc.CircularDependencyError non_retryable dependencies form a circle
sqlalchemy.exc.CompileError non_retryable statement cannot be compiled
sqlalchemy.exc.ConstraintColumnNotFoundError non_retryable column of a constraint is missing
sqlalchemy.exc.DuplicateColumnError non_retryable column is declared twice
sqlalchemy.exc.IdentifierError non_retryable identifier is too long
sqlalchemy.exc.IllegalStateChangeError non_retryable session was used by two at once
sqlalchemy.exc.InvalidRequestError non_retryable invalid request
sqlalchemy.exc.MissingGreenlet non_retryable input or output outside of its greenlet
sqlalchemy.exc.NoForeignKeysError non_retryable no foreign key to join by
sqlalchemy.exc.NoInspectionAvailable non_retryable object cannot be inspected
sqlalchemy.exc.NoReferenceError non_retryable foreign key refers to nothing
sqlalchemy.exc.NoReferencedColumnError non_retryable foreign key refers to no column
sqlalchemy.exc.NoReferencedTableError non_retryable foreign key refers to no table
sqlalchemy.exc.NoSuchColumnError non_retryable column is not in the result
sqlalchemy.exc.ObjectNotExecutableError non_retryable object is no statement
sqlalchemy.exc.ResourceClosedError non_retryable connection or result was closed before
sqlalchemy.exc.UnboundExecutionError configuration no engine is bound
sqlalchemy.exc.UnsupportedCompilationError non_retryable not supported by the dialect
sqlalchemy.orm.exc.StaleDataError retryable row was changed meanwhile
psycopg.OperationalError unavailable connection failed
psycopg.errors.ConnectionTimeout unavailable connection timed out
psycopg.InterfaceError retryable driver was misused or lost its connection
psycopg.DataError invalid_input value does not fit its column
psycopg.IntegrityError data_integrity constraint was violated
psycopg.InternalError retryable internal error of the database
psycopg.ProgrammingError configuration statement does not fit the schema
psycopg.NotSupportedError configuration not supported by the database
psycopg.Rollback non_retryable transaction was rolled back on purpose
psycopg.Error* retryable database error
psycopg.DatabaseError* retryable database error
psycopg_pool.errors.PoolTimeout unavailable no free connection in the pool
psycopg_pool.errors.TooManyRequests unavailable too many wait for a connection
psycopg_pool.errors.PoolClosed unavailable pool is closed
psycopg2.OperationalError unavailable connection failed
psycopg2.InterfaceError retryable driver was misused or lost its connection
psycopg2.DataError invalid_input value does not fit its column
psycopg2.IntegrityError data_integrity constraint was violated
psycopg2.ProgrammingError configuration statement does not fit the schema
psycopg2.Error* retryable database error
asyncpg.exceptions.PostgresError* retryable database error
asyncpg.exceptions.FatalPostgresError* retryable session was ended
asyncpg.exceptions.UnknownPostgresError* retryable database error
asyncpg.exceptions.InterfaceError retryable driver was misused or lost its connection
asyncpg.exceptions.ClientConfigurationError configuration connection is configured wrongly
asyncpg.exceptions.InternalClientError retryable driver failed
asyncpg.exceptions.OutdatedSchemaCacheError retryable schema changed meanwhile
asyncpg.exceptions.ProtocolError unavailable protocol was broken
asyncpg.exceptions.UnsupportedClientFeatureError configuration not supported by the driver
asyncpg.exceptions.UnsupportedServerFeatureError configuration not supported by the server
asyncpg.exceptions.TargetServerAttributeNotMatched unavailable no server of the wanted role
sqlite3.OperationalError retryable database operation failed
sqlite3.DataError invalid_input value does not fit its column
sqlite3.IntegrityError data_integrity constraint was violated
sqlite3.InternalError retryable internal error of the database
sqlite3.ProgrammingError non_retryable driver was misused
sqlite3.InterfaceError non_retryable driver was misused
sqlite3.NotSupportedError configuration not supported by the database
sqlite3.DatabaseError retryable database error
redis.exceptions.ConnectionError* unavailable connection failed
redis.exceptions.TimeoutError* unavailable time-out
redis.exceptions.AuthenticationError configuration credentials refused
redis.exceptions.AuthenticationWrongNumberOfArgsError configuration credentials refused
redis.exceptions.AuthorizationError configuration not authorized
redis.exceptions.ExternalAuthProviderError configuration credentials cannot be had
redis.exceptions.NoPermissionError configuration not permitted
redis.exceptions.BusyLoadingError unavailable server is loading its data
redis.exceptions.MaxConnectionsError unavailable no free connection in the pool
redis.exceptions.InvalidResponse unavailable protocol was broken
redis.exceptions.ResponseError non_retryable command was refused
redis.exceptions.OutOfMemoryError unavailable server is out of memory
redis.exceptions.ReadOnlyError unavailable server is a replica, or failing over
redis.exceptions.NoScriptError retryable script is not loaded
redis.exceptions.ExecAbortError retryable transaction was discarded
redis.exceptions.ModuleError configuration module is not loaded
redis.exceptions.NoSuchFieldsetError configuration field set is missing
redis.exceptions.DataError invalid_input value cannot be sent
redis.exceptions.PubSubError non_retryable publish/subscribe was misused
redis.exceptions.WatchError retryable watched key changed
redis.exceptions.LockError retryable lock not acquired
redis.exceptions.LockNotOwnedError conflict lock has another owner
redis.exceptions.ChildDeadlockedError non_retryable child process deadlocked
redis.exceptions.ClusterError unavailable cluster failed
redis.exceptions.ClusterDownError unavailable cluster is down
redis.exceptions.MasterDownError unavailable master is down
redis.exceptions.AskError retryable slot is moving
redis.exceptions.MovedError retryable slot has moved
redis.exceptions.TryAgainError retryable keys are moving
redis.exceptions.ClusterCrossSlotError non_retryable keys are in different slots
redis.exceptions.CrossSlotTransactionError non_retryable keys are in different slots
redis.exceptions.SlotNotCoveredError unavailable slot is not served
redis.exceptions.InvalidPipelineStack non_retryable pipeline was misused
redis.exceptions.RedisClusterException unavailable cluster failed
redis.exceptions.IncorrectPolicyType non_retryable command policy is wrong
redis.exceptions.RedisError retryable Redis failed
"""

TABLES: Final = (_BUILTINS, _PYDANTIC, _DATABASES)
