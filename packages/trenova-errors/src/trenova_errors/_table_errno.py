"""errno of the operating system (errno(3), POSIX.1-2024) and EAI of name resolution (getaddrinfo(3)), by name."""

from typing import Final

from trenova_errors._decision import Decision, rows

_UNAVAILABLE: Final = """
EADDRNOTAVAIL ECOMM ECONNABORTED ECONNREFUSED ECONNRESET EHOSTDOWN EHOSTUNREACH EIO ENETDOWN ENETRESET ENETUNREACH
ENOLINK ENONET ENOSPC ENOTCONN EPIPE ESHUTDOWN ESTALE ETIMEDOUT EDQUOT EREMOTEIO ENOMEDIUM ENOBUFS ENOMEM
ENOTRECOVERABLE EOWNERDEAD
"""
_RETRYABLE: Final = """
EAGAIN EALREADY EBUSY ECANCELED EDEADLK EDEADLOCK EINPROGRESS EINTR ELIBACC EMFILE ENFILE ENOLCK ENOSR ERESTART ESTRPIPE
ETIME ETXTBSY EUSERS EWOULDBLOCK EXFULL ETOOMANYREFS EPROCLIM EISCONN ECHILD ESRCH
"""
_CONFIGURATION: Final = """
EACCES EADDRINUSE EADV EAFNOSUPPORT EDESTADDRREQ EISDIR ELOOP ENODEV ENOENT ENOEXEC ENOPKG ENOPROTOOPT ENOSYS ENOTDIR
ENOTSUP EOPNOTSUPP EPERM EPFNOSUPPORT EPROTONOSUPPORT EPROTOTYPE EROFS ESOCKTNOSUPPORT EXDEV ENXIO ELIBBAD ELIBEXEC
ELIBMAX ELIBSCN ENOKEY EKEYEXPIRED EKEYREJECTED EKEYREVOKED ERFKILL EBFONT ERPCMISMATCH EPROGMISMATCH EPROGUNAVAIL
EPROCUNAVAIL EBADARCH EBADEXEC EBADMACHO ESHLIBVERS EAUTH ENEEDAUTH EFTYPE EPWROFF EDEVERR ENOPOLICY ENOTCAPABLE
ECAPMODE EUNATCH EMEDIUMTYPE
"""
_INVALID_INPUT: Final = "E2BIG EDOM EILSEQ ENAMETOOLONG ERANGE"
_TOO_LARGE: Final = "EFBIG EMSGSIZE EOVERFLOW"
_CONFLICT: Final = "EEXIST ENOTEMPTY ENOTUNIQ"
_DATA_INTEGRITY: Final = "EBADMSG EUCLEAN EBADE EBADFD ENODATA ENOATTR"
_NON_RETRYABLE: Final = """
EBADF EBADR EBADRQC EBADSLT ECHRNG EDOTDOT EFAULT EIDRM EINVAL EISNAM EL2HLT EL2NSYNC EL3HLT EL3RST ELNRNG EMLINK
EMULTIHOP ENAVAIL ENOANO ENOCSI ENOMSG ENOSTR ENOTBLK ENOTNAM ENOTSOCK ENOTTY EPROTO EREMCHG EREMOTE ESPIPE ESRMNT
EBADRPC EQFULL ELOCKUNMAPPED ENOTACTIVE EWRONGFS
"""

_KINDS: Final = {
    "unavailable": _UNAVAILABLE,
    "retryable": _RETRYABLE,
    "configuration": _CONFIGURATION,
    "invalid_input": _INVALID_INPUT,
    "payload_too_large": _TOO_LARGE,
    "conflict": _CONFLICT,
    "data_integrity": _DATA_INTEGRITY,
    "non_retryable": _NON_RETRYABLE,
}

ERRNOS: Final[dict[str, Decision]] = {
    key: decision
    for kind, names in _KINDS.items()
    for key, decision in rows("\n".join(f"{name} {kind} {name}" for name in names.split()))
}
"""Every name of Linux, macOS and Windows' POSIX layer that CPython knows."""

_ADDRESSES: Final = """\
# key kind name
EAI_AGAIN unavailable the resolver failed for now
EAI_FAIL unavailable the resolver failed
EAI_MEMORY unavailable out of memory
EAI_SYSTEM unavailable the operating system failed
EAI_NONAME configuration the host name does not exist
EAI_NODATA configuration the host has no address
EAI_ADDRFAMILY configuration the host has no address of this family
EAI_FAMILY configuration the address family is not supported
EAI_SERVICE configuration the service is unknown
EAI_SOCKTYPE configuration the socket type is not supported
EAI_BADFLAGS non_retryable invalid flags
EAI_OVERFLOW invalid_input the host name is too long
EAI_BADHINTS non_retryable invalid hints
EAI_PROTOCOL configuration the protocol is unknown
EAI_MAX non_retryable out of range
"""

ADDRESSES: Final[dict[str, Decision]] = dict(rows(_ADDRESSES))
"""What ``socket.gaierror`` carries, by name."""
