"""HTTP statuses 400 to 599, as a client sees them (RFC 9110 section 15, IANA's registry of status codes).

A status that nobody registered means what x00 of its class means (RFC 9110 section 15), with the exceptions
that are in wide use and listed here.

A client's 403 is about the rights of our own credentials, so somebody of ours has to be woken; who knows that it is
about the one who asked raises ``PermissionDeniedError``.
"""

from typing import Final

from trenova_errors._decision import Decision, rows
from trenova_errors._kinds import ErrorKind

_TABLE: Final = """\
# key kind name
400 invalid_input Bad Request
401 configuration Unauthorized
402 configuration Payment Required
403 configuration Forbidden
404 resource_not_found Not Found
405 configuration Method Not Allowed
406 configuration Not Acceptable
407 configuration Proxy Authentication Required
408 unavailable Request Timeout
409 conflict Conflict
410 resource_not_found Gone
411 configuration Length Required
412 conflict Precondition Failed
413 payload_too_large Content Too Large
414 invalid_input URI Too Long
415 configuration Unsupported Media Type
416 invalid_input Range Not Satisfiable
417 configuration Expectation Failed
418 configuration I'm a Teapot
419 configuration Page Expired (Laravel)
420 throttle Enhance Your Calm (Twitter)
421 configuration Misdirected Request
422 invalid_input Unprocessable Content
423 retryable Locked
424 retryable Failed Dependency
425 unavailable Too Early
426 configuration Upgrade Required
428 configuration Precondition Required
429 throttle Too Many Requests
430 throttle Request Header Fields Too Large or rate limit (Shopify)
431 payload_too_large Request Header Fields Too Large
440 configuration Login Time-out (IIS)
444 unavailable No Response (nginx)
449 retryable Retry With (IIS)
450 configuration Blocked by Windows Parental Controls
451 non_retryable Unavailable For Legal Reasons
460 unavailable Client closed the connection (AWS load balancer)
463 invalid_input Too many forwarded addresses (AWS load balancer)
464 configuration Incompatible protocol versions (AWS load balancer)
494 payload_too_large Request header too large (nginx)
495 configuration SSL Certificate Error (nginx)
496 configuration SSL Certificate Required (nginx)
497 configuration HTTP request sent to an HTTPS port (nginx)
498 configuration Invalid Token (Esri)
499 unavailable Client Closed Request (nginx)
500 retryable Internal Server Error
501 configuration Not Implemented
502 unavailable Bad Gateway
503 unavailable Service Unavailable
504 unavailable Gateway Timeout
505 configuration HTTP Version Not Supported
506 configuration Variant Also Negotiates
507 unavailable Insufficient Storage
508 non_retryable Loop Detected
509 throttle Bandwidth Limit Exceeded (Apache)
510 configuration Not Extended
511 configuration Network Authentication Required
520 unavailable Web Server Returned an Unknown Error (Cloudflare)
521 unavailable Web Server Is Down (Cloudflare)
522 unavailable Connection Timed Out (Cloudflare)
523 unavailable Origin Is Unreachable (Cloudflare)
524 unavailable A Timeout Occurred (Cloudflare)
525 configuration SSL Handshake Failed (Cloudflare)
526 configuration Invalid SSL Certificate (Cloudflare)
527 unavailable Railgun Error (Cloudflare)
529 throttle The service is overloaded (Qualys)
530 unavailable The origin's name does not resolve (Cloudflare)
540 unavailable Temporarily Disabled (Shopify)
561 configuration Unauthorized (AWS load balancer)
598 unavailable Network read timeout error (proxies)
599 unavailable Network connect timeout error (proxies)
"""

_CLASSES: Final = {4: "400", 5: "500"}
_LISTED: Final[dict[str, Decision]] = dict(rows(_TABLE))

HTTP: Final[dict[int, Decision]] = {
    status: _LISTED.get(str(status))
    or Decision(_LISTED[_CLASSES[status // 100]].kind, f"unregistered, read as {_CLASSES[status // 100]}")
    for status in range(400, 600)
}
"""Every status from 400 to 599."""

REDIRECTED: Final = Decision(ErrorKind.CONFIGURATION, "redirected, which the client does not follow")
"""Every status from 300 to 399 that a client calls an error."""
