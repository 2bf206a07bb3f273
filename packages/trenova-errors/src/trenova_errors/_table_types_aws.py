"""Types of exceptions of botocore; see :mod:`trenova_errors._table_types`.

What botocore raises before it sends anything is mostly about how the process is set up. Credentials and tokens that
could not be had are wrappers: their providers (containers, instance metadata) raise them from what really failed.
"""

from typing import Final

_REQUEST: Final = """\
botocore.exceptions.ClientError* retryable AWS error
botocore.exceptions.HTTPClientError* unavailable request failed
botocore.exceptions.ConnectionError* unavailable connection failed
botocore.exceptions.EndpointConnectionError* unavailable connection failed
botocore.exceptions.ConnectTimeoutError unavailable connection timed out
botocore.exceptions.ReadTimeoutError unavailable answer timed out
botocore.exceptions.ConnectionClosedError unavailable connection was lost
botocore.exceptions.ProxyConnectionError unavailable proxy failed
botocore.exceptions.SSLError* unavailable TLS failed
botocore.exceptions.ResponseStreamingError unavailable body was cut
botocore.exceptions.IncompleteReadError unavailable body was cut
botocore.exceptions.ChecksumError unavailable body was damaged on the way
botocore.exceptions.FlexibleChecksumError unavailable body was damaged on the way
botocore.exceptions.EventStreamError* unavailable event stream failed
botocore.exceptions.MetadataRetrievalError unavailable instance metadata cannot be had
botocore.exceptions.CapacityNotAvailableError unavailable no capacity
botocore.exceptions.WaiterError unavailable waiter gave up
botocore.exceptions.UnseekableStreamError non_retryable body cannot be sent again
botocore.exceptions.PaginationError non_retryable pages repeat
botocore.exceptions.AwsChunkedWrapperError non_retryable body was wrapped wrongly
"""

_PARAMETERS: Final = """\
botocore.exceptions.ParamValidationError invalid_input parameters do not validate
botocore.exceptions.ValidationError invalid_input parameters do not validate
botocore.exceptions.MissingParametersError invalid_input parameter is missing
botocore.exceptions.UnknownParameterError invalid_input unknown parameter
botocore.exceptions.UnknownKeyError invalid_input unknown key of a parameter
botocore.exceptions.AliasConflictParameterError invalid_input parameters contradict each other
botocore.exceptions.RangeError invalid_input parameter is out of range
botocore.exceptions.InvalidHostLabelError invalid_input parameter is no host label
botocore.exceptions.InvalidDNSNameError invalid_input bucket name is no host label
botocore.exceptions.InvalidExpressionError non_retryable invalid lookup expression
botocore.exceptions.OperationNotPageableError non_retryable operation has no pages
botocore.exceptions.UnknownClientMethodError non_retryable unknown method
botocore.exceptions.UndefinedModelAttributeError non_retryable unknown attribute of a model
botocore.exceptions.MissingServiceIdError non_retryable service has no id
botocore.exceptions.StubResponseError non_retryable stub was used wrongly
botocore.exceptions.StubAssertionError non_retryable stub met another request
botocore.exceptions.UnStubbedResponseError non_retryable stub has no answer
"""

_CREDENTIALS: Final = """\
botocore.exceptions.NoCredentialsError configuration no credentials
botocore.exceptions.PartialCredentialsError configuration credentials are incomplete
botocore.exceptions.UnknownCredentialError configuration unknown source of credentials
botocore.exceptions.CredentialRetrievalError* configuration credentials cannot be had
botocore.exceptions.RefreshWithMFAUnsupportedError configuration credentials need a second factor
botocore.exceptions.NoAuthTokenError configuration no token
botocore.exceptions.TokenRetrievalError* configuration token cannot be had
botocore.exceptions.UnknownTokenProviderError configuration unknown source of tokens
botocore.exceptions.SSOError* configuration single sign-on failed
botocore.exceptions.SSOTokenLoadError configuration single sign-on has no token
botocore.exceptions.UnauthorizedSSOTokenError configuration single sign-on has expired
botocore.exceptions.LoginError* configuration login session failed
botocore.exceptions.LoginAuthorizationCodeError* configuration login session has no code
botocore.exceptions.LoginInsufficientPermissions configuration login session lacks a permission
botocore.exceptions.LoginRefreshRequired configuration login session has expired
botocore.exceptions.LoginTokenLoadError configuration login session has no token
botocore.exceptions.UnknownSignatureVersionError configuration unknown signature version
botocore.exceptions.UnsupportedSignatureVersionError configuration unsupported signature version
botocore.exceptions.MD5UnavailableError configuration MD5 is not available
"""

_SETTINGS: Final = """\
botocore.exceptions.BotoCoreError configuration AWS client is configured wrongly
botocore.exceptions.ApiVersionNotFoundError configuration unknown API version
botocore.exceptions.BaseEndpointResolverError configuration endpoint cannot be resolved
botocore.exceptions.ConfigNotFound configuration configuration file not found
botocore.exceptions.ConfigParseError configuration configuration file cannot be parsed
botocore.exceptions.DataNotFoundError configuration unknown service data
botocore.exceptions.EndpointProviderError configuration endpoint cannot be resolved
botocore.exceptions.EndpointResolutionError configuration endpoint cannot be resolved
botocore.exceptions.EndpointVariantError configuration no endpoint of this variant
botocore.exceptions.InfiniteLoopConfigError configuration profiles refer to each other
botocore.exceptions.InvalidChecksumConfigError configuration invalid checksum setting
botocore.exceptions.InvalidConfigError configuration invalid setting
botocore.exceptions.InvalidDefaultsMode configuration invalid defaults mode
botocore.exceptions.InvalidEndpointConfigurationError configuration invalid endpoint setting
botocore.exceptions.InvalidEndpointDiscoveryConfigurationError configuration invalid endpoint discovery setting
botocore.exceptions.InvalidIMDSEndpointError configuration invalid metadata endpoint
botocore.exceptions.InvalidIMDSEndpointModeError configuration invalid metadata endpoint mode
botocore.exceptions.InvalidMaxRetryAttemptsError configuration invalid number of attempts
botocore.exceptions.InvalidProxiesConfigError configuration invalid proxy setting
botocore.exceptions.InvalidRegionError configuration invalid region
botocore.exceptions.InvalidRetryConfigurationError configuration invalid retry setting
botocore.exceptions.InvalidRetryModeError configuration invalid retry mode
botocore.exceptions.InvalidS3AddressingStyleError configuration invalid addressing style
botocore.exceptions.InvalidS3UsEast1RegionalEndpointConfigError configuration invalid regional endpoint setting
botocore.exceptions.InvalidSTSRegionalEndpointsConfigError configuration invalid regional endpoint setting
botocore.exceptions.MissingDependencyException configuration package not installed
botocore.exceptions.NoRegionError configuration no region
botocore.exceptions.ProfileNotFound configuration unknown profile
botocore.exceptions.ServiceNotInRegionError configuration service is not in this region
botocore.exceptions.UnknownEndpointError configuration unknown endpoint
botocore.exceptions.UnknownEndpointResolutionBuiltInName configuration unknown built-in of an endpoint
botocore.exceptions.UnknownFIPSEndpointError configuration unknown FIPS region
botocore.exceptions.UnknownRegionError configuration unknown region
botocore.exceptions.UnknownServiceError configuration unknown service
botocore.exceptions.UnknownServiceStyle configuration unknown style of a service
botocore.exceptions.UnsupportedOutpostResourceError configuration unsupported Outposts resource
botocore.exceptions.UnsupportedS3AccesspointConfigurationError configuration unsupported access point setting
botocore.exceptions.UnsupportedS3ArnError configuration unsupported bucket ARN
botocore.exceptions.UnsupportedS3ConfigurationError configuration unsupported S3 setting
botocore.exceptions.UnsupportedS3ControlArnError configuration unsupported ARN for this operation
botocore.exceptions.UnsupportedS3ControlConfigurationError configuration unsupported S3 Control setting
botocore.exceptions.UnsupportedServiceProtocolsError configuration unsupported protocol of a service
botocore.exceptions.WaiterConfigError configuration invalid waiter
"""

TABLES: Final = (_REQUEST, _PARAMETERS, _CREDENTIALS, _SETTINGS)
