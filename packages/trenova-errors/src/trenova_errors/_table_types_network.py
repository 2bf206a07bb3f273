"""Types of exceptions of HTTP, gRPC, mail and Temporal clients; see :mod:`trenova_errors._table_types`."""

from typing import Final

_HTTP: Final = """\
httpx.HTTPStatusError* retryable HTTP status
httpx.TransportError* unavailable HTTP transport failed
httpx.TimeoutException unavailable time-out
httpx.NetworkError* unavailable connection failed
httpx.ProtocolError* unavailable HTTP was broken
httpx.ConnectTimeout unavailable connection timed out
httpx.PoolTimeout unavailable no free connection in the pool
httpx.ReadTimeout unavailable answer timed out
httpx.WriteTimeout unavailable request timed out
httpx.ConnectError* unavailable connection failed
httpx.ReadError* unavailable connection was lost
httpx.WriteError* unavailable connection was lost
httpx.CloseError* unavailable connection was lost
httpx.ProxyError unavailable proxy failed
httpx.LocalProtocolError non_retryable request breaks the protocol
httpx.RemoteProtocolError unavailable answer breaks the protocol
httpx.UnsupportedProtocol invalid_input unsupported scheme
httpx.DecodingError data_integrity body cannot be decoded
httpx.TooManyRedirects configuration too many redirects
httpx.InvalidURL invalid_input invalid URL
httpx.CookieConflict non_retryable cookie conflict
httpx.StreamError non_retryable stream was misused
httpx.StreamConsumed non_retryable body was read twice
httpx.StreamClosed non_retryable body was read after the end
httpx.RequestNotRead non_retryable body of the request has not been read
httpx.ResponseNotRead non_retryable body of the response has not been read
httpx.RequestError* unavailable request failed
httpx.HTTPError* retryable HTTP failed
aiohttp.client_exceptions.ClientResponseError* retryable HTTP status
aiohttp.client_exceptions.ClientHttpProxyError* unavailable proxy refused
aiohttp.client_exceptions.WSServerHandshakeError* unavailable WebSocket handshake failed
aiohttp.client_exceptions.ContentTypeError data_integrity body has another content type
aiohttp.client_exceptions.ClientConnectionError* unavailable connection failed
aiohttp.client_exceptions.ClientConnectionResetError unavailable connection was lost
aiohttp.client_exceptions.ClientOSError* unavailable connection failed
aiohttp.client_exceptions.ClientConnectorError* unavailable connection failed
aiohttp.client_exceptions.ClientConnectorDNSError* unavailable host name cannot be resolved
aiohttp.client_exceptions.ClientConnectorCertificateError configuration certificate is not trusted
aiohttp.client_exceptions.ClientConnectorSSLError* unavailable TLS failed
aiohttp.client_exceptions.ClientSSLError* unavailable TLS failed
aiohttp.client_exceptions.ClientProxyConnectionError unavailable proxy failed
aiohttp.client_exceptions.ServerFingerprintMismatch configuration certificate is not the pinned one
aiohttp.client_exceptions.ServerDisconnectedError unavailable connection was lost
aiohttp.client_exceptions.ServerConnectionError unavailable connection was lost
aiohttp.client_exceptions.ServerTimeoutError unavailable answer timed out
aiohttp.client_exceptions.ConnectionTimeoutError unavailable connection timed out
aiohttp.client_exceptions.SocketTimeoutError unavailable answer timed out
aiohttp.client_exceptions.TooManyRedirects configuration too many redirects
aiohttp.client_exceptions.RedirectClientError configuration redirected wrongly
aiohttp.client_exceptions.ClientPayloadError unavailable body was cut
aiohttp.client_exceptions.InvalidURL invalid_input invalid URL
aiohttp.client_exceptions.InvalidUrlClientError invalid_input invalid URL
aiohttp.client_exceptions.InvalidUrlRedirectClientError configuration redirected to an invalid URL
aiohttp.client_exceptions.NonHttpUrlClientError invalid_input unsupported scheme
aiohttp.client_exceptions.NonHttpUrlRedirectClientError configuration redirected to another scheme
aiohttp.client_exceptions.UploadAbortedError unavailable upload was aborted
aiohttp.client_exceptions.WSMessageTypeError data_integrity unexpected WebSocket message
aiohttp.client_exceptions.ClientError* unavailable request failed
aiohttp.http_exceptions.HttpProcessingError unavailable answer breaks the protocol
aiohttp.models.WebSocketError unavailable WebSocket failed
aiohttp.streams.EofStream unavailable stream ended early
requests.exceptions.HTTPError* retryable HTTP status
requests.exceptions.ConnectionError* unavailable connection failed
requests.exceptions.ConnectTimeout unavailable connection timed out
requests.exceptions.ReadTimeout unavailable answer timed out
requests.exceptions.Timeout unavailable time-out
requests.exceptions.SSLError* unavailable TLS failed
requests.exceptions.ProxyError unavailable proxy failed
requests.exceptions.ChunkedEncodingError unavailable body was cut
requests.exceptions.ContentDecodingError data_integrity body cannot be decoded
requests.exceptions.JSONDecodeError data_integrity body is no valid JSON
requests.exceptions.InvalidJSONError invalid_input body cannot be written as JSON
requests.exceptions.TooManyRedirects configuration too many redirects
requests.exceptions.URLRequired invalid_input URL is missing
requests.exceptions.MissingSchema invalid_input scheme is missing
requests.exceptions.InvalidSchema invalid_input unsupported scheme
requests.exceptions.InvalidURL invalid_input invalid URL
requests.exceptions.InvalidProxyURL configuration invalid URL of the proxy
requests.exceptions.InvalidHeader invalid_input invalid header
requests.exceptions.StreamConsumedError non_retryable body was read twice
requests.exceptions.UnrewindableBodyError non_retryable body cannot be sent again
requests.exceptions.RetryError unavailable retries are used up
requests.exceptions.RequestException* unavailable request failed
urllib3.exceptions.HTTPError* unavailable request failed
urllib3.exceptions.NewConnectionError* unavailable connection failed
urllib3.exceptions.ConnectTimeoutError unavailable connection timed out
urllib3.exceptions.ReadTimeoutError unavailable answer timed out
urllib3.exceptions.SSLError* unavailable TLS failed
urllib3.exceptions.LocationValueError invalid_input invalid URL
urllib3.exceptions.DecodeError data_integrity body cannot be decoded
"""

_RPC: Final = """\
grpc.RpcError* retryable gRPC status
grpc.cygrpc.UsageError non_retryable gRPC was misused
grpc.FutureTimeoutError unavailable time-out
google.protobuf.message.DecodeError data_integrity message cannot be decoded
google.protobuf.message.EncodeError non_retryable message cannot be encoded
temporalio.client.WorkflowQueryFailedError* non_retryable query failed
temporalio.client.WorkflowQueryRejectedError conflict query was rejected
temporalio.client.RPCTimeoutOrCancelledError unavailable call timed out
temporalio.client.ScheduleAlreadyRunningError conflict schedule exists
temporalio.exceptions.WorkflowAlreadyStartedError conflict workflow has been started
temporalio.exceptions.ActivityAlreadyStartedError conflict activity has been started
temporalio.exceptions.NexusOperationAlreadyStartedError conflict operation has been started
temporalio.exceptions.InvalidVersioningOverrideError invalid_input versioning override is wrong
temporalio.exceptions.TerminatedError non_retryable run was terminated
temporalio.exceptions.ServerError* unavailable Temporal server failed
temporalio.workflow.NondeterminismError* non_retryable workflow code differs from its history
"""

_MAIL: Final = """\
smtplib.SMTPServerDisconnected unavailable connection was lost
smtplib.SMTPNotSupportedError configuration not supported by the server
smtplib.SMTPResponseException* retryable SMTP reply
smtplib.SMTPAuthenticationError configuration credentials refused
smtplib.SMTPConnectError* unavailable greeting was a refusal
smtplib.SMTPHeloError* unavailable HELO was refused
smtplib.SMTPSenderRefused* retryable sender was refused
smtplib.SMTPDataError* retryable message was refused
smtplib.SMTPRecipientsRefused* retryable recipients were refused
smtplib.SMTPException* retryable SMTP failed
aiosmtplib.errors.SMTPServerDisconnected unavailable connection was lost
aiosmtplib.errors.SMTPConnectError* unavailable connection failed
aiosmtplib.errors.SMTPTimeoutError unavailable time-out
aiosmtplib.errors.SMTPConnectTimeoutError unavailable connection timed out
aiosmtplib.errors.SMTPReadTimeoutError unavailable answer timed out
aiosmtplib.errors.SMTPNotSupported configuration not supported by the server
aiosmtplib.errors.SMTPResponseException* retryable SMTP reply
aiosmtplib.errors.SMTPAuthenticationError configuration credentials refused
aiosmtplib.errors.SMTPConnectResponseError* unavailable greeting was a refusal
aiosmtplib.errors.SMTPHeloError* unavailable HELO was refused
aiosmtplib.errors.SMTPSenderRefused* retryable sender was refused
aiosmtplib.errors.SMTPRecipientRefused* retryable recipient was refused
aiosmtplib.errors.SMTPDataError* retryable message was refused
aiosmtplib.errors.SMTPRecipientsRefused* retryable recipients were refused
aiosmtplib.errors.SMTPException* retryable SMTP failed
"""

TABLES: Final = (_HTTP, _RPC, _MAIL)
