"""Error codes that AWS services share, by ``response["Error"]["Code"]``.

Throttling and transient codes are those of botocore's standard mode (``botocore/retries/standard.py``); the others
are the common errors of the services' API references. A code that is not here goes by its HTTP status.
"""

from typing import Final

from trenova_errors._decision import Decision, rows

_TABLE: Final = """\
# key kind name
Throttling throttle throttling
ThrottlingException throttle throttling
ThrottledException throttle throttling
RequestThrottledException throttle throttling
RequestThrottled throttle throttling
TooManyRequestsException throttle throttling
ProvisionedThroughputExceededException throttle throttling
RequestLimitExceeded throttle throttling
BandwidthLimitExceeded throttle throttling
LimitExceededException throttle throttling
SlowDown throttle throttling
EC2ThrottledException throttle throttling
TransactionInProgressException throttle a transaction is in progress
PriorRequestNotComplete throttle the prior request is not complete
RequestTimeout unavailable request timed out
RequestTimeoutException unavailable request timed out
InternalFailure retryable internal failure
InternalError retryable internal failure
InternalServerError retryable internal failure
KMSInternalException retryable internal failure
DependencyTimeoutException unavailable a dependency timed out
ServiceUnavailable unavailable service unavailable
ServiceUnavailableException unavailable service unavailable
KeyUnavailableException unavailable the key is unavailable for now
AccessDenied configuration access denied
AccessDeniedException configuration access denied
UnauthorizedOperation configuration unauthorized operation
NotAuthorized configuration not authorized
OptInRequired configuration not subscribed
AuthFailure configuration authentication failed
InvalidClientTokenId configuration unknown access key
UnrecognizedClientException configuration unknown access key
InvalidAccessKeyId configuration unknown access key
SignatureDoesNotMatch configuration wrong secret key
IncompleteSignature configuration incomplete signature
MissingAuthenticationToken configuration missing credentials
ExpiredToken configuration expired credentials
ExpiredTokenException configuration expired credentials
RequestExpired configuration expired request
DisabledException configuration the key is disabled
KMSInvalidStateException configuration the key is in a state that does not allow this
InvalidKeyUsageException configuration the key is for another use
IncorrectKeyException data_integrity the ciphertext belongs to another key
InvalidCiphertextException data_integrity the ciphertext is damaged
InvalidAction configuration invalid action
MalformedQueryString invalid_input malformed query
ValidationError invalid_input validation
ValidationException invalid_input validation
InvalidParameterValue invalid_input invalid parameter
InvalidParameterCombination invalid_input invalid parameters
MissingParameter invalid_input missing parameter
NoSuchBucket resource_not_found no such bucket
NoSuchKey resource_not_found no such key
NotFoundException resource_not_found not found
ResourceNotFoundException resource_not_found not found
ConditionalCheckFailedException conflict a condition failed
ConflictException conflict conflict
ResourceInUseException retryable in use
AlreadyExistsException conflict already exists
IdempotentParameterMismatch conflict the same token with other parameters
EntityTooLarge payload_too_large too large
"""

AWS: Final[dict[str, Decision]] = dict(rows(_TABLE))
"""By error code."""
