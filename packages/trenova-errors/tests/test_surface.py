import trenova_errors
import trenova_errors.pydantic
import trenova_errors.structlog


def test_the_root_exports_exactly_this():
    assert trenova_errors.__all__ == [
        "BULK_JOB_POLICY",
        "DATABASE_POLICY",
        "HTTP_CALL_POLICY",
        "NOTIFICATION_POLICY",
        "PERMANENT_KINDS",
        "POLICIES",
        "ActivityOptions",
        "ActivityPolicy",
        "AmbiguousOutcomeError",
        "ApplicationError",
        "BudgetOptions",
        "Classification",
        "ConfigurationError",
        "ConflictError",
        "DataIntegrityError",
        "ErrorKind",
        "ErrorsPlugin",
        "Fact",
        "HintOptions",
        "InvalidInputError",
        "NonRetryableError",
        "PayloadLimits",
        "PayloadTooLargeError",
        "PermissionDeniedError",
        "Problem",
        "ProblemDetails",
        "ResourceNotFoundError",
        "RetryableError",
        "Rule",
        "RuleSet",
        "ThrottledError",
        "UnavailableError",
        "classify",
        "from_failure",
        "idempotent",
        "log_failure",
        "sending",
        "to_error",
        "to_problem",
    ]
    assert all(hasattr(trenova_errors, name) for name in trenova_errors.__all__)


def test_the_pydantic_module_exports_exactly_this():
    assert trenova_errors.pydantic.__all__ == ["InputPayloadConverter"]


def test_the_structlog_module_exports_exactly_this():
    assert trenova_errors.structlog.__all__ == ["LoggingOptions", "Redaction", "configure_logging"]


def test_an_unknown_name_is_refused_like_that_of_any_module():
    assert not hasattr(trenova_errors, "Plugin")
