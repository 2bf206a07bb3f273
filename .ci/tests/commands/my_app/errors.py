"""Rules of an application, as ``trenova-errors explain --rules`` is told of them."""

from trenova_errors import ErrorKind, Rule, RuleSet

RULES = RuleSet([Rule(name="upsert_race", kind=ErrorKind.RETRYABLE, codes=("SQLSTATE 23505",))])
