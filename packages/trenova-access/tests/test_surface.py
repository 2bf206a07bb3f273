import trenova_access
import trenova_access.api
import trenova_access.serving


def test_the_public_names_are_these():
    assert trenova_access.__all__ == sorted(trenova_access.__all__, key=_as_ruff_sorts)
    assert set(trenova_access.__all__) == NAMES
    assert all(hasattr(trenova_access, name) for name in NAMES)


def test_the_public_names_of_the_extras_are_these():
    for module, names in ((trenova_access.api, API), (trenova_access.serving, SERVING)):
        assert set(module.__all__) == names
        assert all(hasattr(module, name) for name in names)


def _as_ruff_sorts(name):
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return kind, name


NAMES = {
    "ALLOWED_HEADERS",
    "AUDIT_LOGGER",
    "CSRF_FIELD",
    "CSRF_HEADER",
    "EVERYWHERE",
    "SIGN_IN_PATH",
    "Access",
    "AccessConfigurationError",
    "AccessError",
    "AccessOptions",
    "ApiTokenOptions",
    "ApiTokens",
    "AuditEvent",
    "AuditHook",
    "AuditLog",
    "AuditOptions",
    "BodyTooLargeError",
    "CsrfError",
    "ForeignRequestError",
    "Grant",
    "KeySet",
    "KeySetOptions",
    "KeySetUnavailableError",
    "LimitOptions",
    "NotPermittedError",
    "NotSignedInError",
    "OidcOptions",
    "OidcRefusedError",
    "OidcUnavailableError",
    "PermissionClaim",
    "Principal",
    "Roles",
    "SignIn",
    "SignInOptions",
    "TokenOptions",
    "TokenRefusedError",
    "TokenVerifier",
    "TooBusyError",
    "TooSlowError",
    "ValueClaim",
    "api_token_digest",
    "is_loopback",
    "log_audit",
    "new_api_token",
    "refusal",
    "refuse",
    "require_safe_bind",
    "sign_in_link",
    "sign_in_path",
    "sign_in_routes",
    "write_private",
}

API = {
    "REPLAYED",
    "IdempotencyKey",
    "KeyStore",
    "UnderWayError",
    "once_by_key",
    "LONGEST_NAME",
    "MEDIA_TYPE",
    "REQUEST_ID",
    "Amend",
    "Answers",
    "ApiCaller",
    "ApiDescription",
    "Failure",
    "FieldProblem",
    "GuardedApi",
    "Kind",
    "ProblemDocument",
    "RateOptions",
    "Rates",
    "Responses",
    "add_problem_handlers",
    "answer",
    "request_id_of",
}
SERVING = {
    "Exposition",
    "ListenOptions",
    "OpenAccess",
    "OpenListenOptions",
    "announced",
    "expose_metrics",
    "gathered",
    "listening",
    "run_until_told",
    "running",
    "server_url",
}
