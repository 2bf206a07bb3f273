"""An HTTP API of one voice, made with FastAPI (extra ``[api]``).

Failures are problem details (:func:`add_problem_handlers`, :class:`Answers`), each operation's are in the description
(:class:`ApiDescription`), and who asks is known and counted (:class:`ApiCaller`, :class:`Rates`).
"""

try:
    from trenova_access.api._answers import REQUEST_ID, Answers
    from trenova_access.api._caller import LONGEST_NAME, ApiCaller, GuardedApi
    from trenova_access.api._description import ApiDescription, Responses
    from trenova_access.api._failures import Amend, Failure, add_problem_handlers
    from trenova_access.api._once import REPLAYED, IdempotencyKey, KeyStore, UnderWayError, once_by_key
    from trenova_access.api._problem import MEDIA_TYPE, FieldProblem, ProblemDocument, answer, request_id_of
    from trenova_access.api._rates import Kind, RateOptions, Rates
except ModuleNotFoundError as error:
    missing = str(error.name).partition(".")[0]
    raise ModuleNotFoundError(
        f'An API needs its extra: uv pip install "trenova-access[api]" ({missing} is missing).', name=error.name
    ) from None

__all__ = [
    "LONGEST_NAME",
    "MEDIA_TYPE",
    "REPLAYED",
    "REQUEST_ID",
    "Amend",
    "Answers",
    "ApiCaller",
    "ApiDescription",
    "Failure",
    "FieldProblem",
    "GuardedApi",
    "IdempotencyKey",
    "KeyStore",
    "Kind",
    "ProblemDocument",
    "RateOptions",
    "Rates",
    "Responses",
    "UnderWayError",
    "add_problem_handlers",
    "answer",
    "once_by_key",
    "request_id_of",
]
