"""Exceptions by the name of their class, whether or not their library is installed."""

import builtins
import pydoc
from dataclasses import dataclass
from typing import Any, Final

import temporalio.exceptions

import trenova_errors
from trenova_errors._base import ApplicationError
from trenova_errors._classification import UNCLASSIFIED, Classification, classification
from trenova_errors._codes import SYSTEMS, Code
from trenova_errors._decision import Decision
from trenova_errors._kinds import ErrorKind
from trenova_errors._rules import Rule
from trenova_errors._type_decisions import (
    NO_FAILURES,
    TYPES,
    is_bug,
    names_of,
    no_failure,
    qualified_name,
    type_decision,
)
from trenova_errors._types import InvalidInputError

_ASKED_FIRST: Final = "It is a wrapper: the code that it carries and what it was raised from are asked first."
_ERRNO_FIRST: Final = "The errno that it carries, if it has one, is asked first."
_NOT_INSTALLED: Final = "Its library is not installed here, so its bases were not looked at."

LIBRARIES: Final = frozenset(name.partition(".")[0] for name in (*TYPES, *NO_FAILURES))
"""The packages whose exceptions stand in the tables."""


@dataclass(frozen=True, slots=True)
class TypeSubject:
    """A class of exceptions, or only its name where its library is not installed.

    Attributes:
        name: The qualified name that tables and rules know it by.
        cls: The class, if it could be imported.
    """

    name: str
    cls: type[BaseException] | None

    @property
    def names(self) -> frozenset[str]:
        """The qualified names of the class and, where it could be imported, of its bases."""
        return frozenset((self.name,)) if self.cls is None else names_of(self.cls)

    def meant_by(self, rule: Rule) -> bool:
        """Whether a rule names this class or one of its bases."""
        if self.cls is not None:
            return rule.names(self.cls)
        return self.name in rule.types


@dataclass(frozen=True, slots=True)
class TypeReading:
    """What is decided about a class.

    Attributes:
        subject: As it was understood.
        decision: What is decided about it.
        notes: What else may decide.
        open_to_rules: Whether rules are asked about it at all.
    """

    subject: str
    decision: Classification
    notes: tuple[str, ...] = ()
    open_to_rules: bool = True


def known_classes() -> tuple[str, ...]:
    """Return the names of all classes that are decided about, qualified and bare."""
    names = {*TYPES, *NO_FAILURES, *(f"builtins.{name}" for name in vars(builtins) if _exception(name) is not None)}
    return (*names, *(name.rpartition(".")[2] for name in names))


def classes_named(value: str) -> list[TypeSubject]:
    """Return the classes that a name may mean: one if it is qualified, Python's and each library's if it is bare.

    Args:
        value: ``httpx.ReadTimeout``, ``ReadTimeout``, ``my_app.errors.QuotaError``; modules are imported.

    Raises:
        InvalidInputError: The module of a qualified name fails to be imported.
    """
    cls = _exception(value)
    if cls is not None:
        others = [] if "." in value else _alike(value)
        own = qualified_name(cls)
        return [TypeSubject(own, cls), *(TypeSubject(name, _exception(name)) for name in others if name != own)]
    if value.removeprefix("builtins.") != value:
        return []
    named = [value] if value in TYPES or value in NO_FAILURES else _alike(value)
    return list(dict.fromkeys(TypeSubject(name, _exception(name)) for name in named))


def _alike(value: str) -> list[str]:
    """Return names in the tables: of any library for a bare name, of one library for a qualified one."""
    top, _, _ = value.rpartition(".")
    first, last = value.partition(".")[0], value.rpartition(".")[2]
    known = [*TYPES, *NO_FAILURES, *(f"trenova_errors.{name}" for name in trenova_errors.__all__)]
    named = [name for name in known if name.rpartition(".")[2] == last and (not top or name.startswith(f"{first}."))]
    return [name for name in named if not name.startswith("trenova_errors.") or _exception(name) is not None]


def _exception(name: str) -> type[BaseException] | None:
    if "." not in name:
        name = f"builtins.{name}"  # a bare word must not import a module that happens to have its name
    try:
        found: Any = pydoc.locate(name)
    except pydoc.ErrorDuringImport as error:
        raise InvalidInputError(
            f"The module of {name!r} fails to be imported ({getattr(error.exc, '__name__', error.exc)}). Mend it, or "
            "ask for a base class.",
            asked=name,
        ) from error
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def type_reading(subject: TypeSubject) -> TypeReading:
    """Say what is decided about an instance of a class that carries nothing else."""
    if subject.cls is None:
        return _by_name(subject.name)
    return _by_class(subject.cls)


def _by_name(name: str) -> TypeReading:
    if name in NO_FAILURES:
        return TypeReading(name, _no_failure(name, NO_FAILURES[name]), open_to_rules=False)
    decision, wrapper = TYPES[name]
    notes = (*((_ASKED_FIRST,) if wrapper else ()), _NOT_INSTALLED)
    return TypeReading(name, _of_entry(name, name, decision), notes)


def _by_class(cls: type[BaseException]) -> TypeReading:
    name = qualified_name(cls)
    code = no_failure(cls)
    if code is not None:
        return TypeReading(name, _no_failure(name, code), open_to_rules=False)
    if issubclass(cls, temporalio.exceptions.ApplicationError):
        return _raised(name, cls)
    carried = _sqlstate(cls)
    if carried is not None:
        return TypeReading(f"{name}, {carried.source}", decided_by_code(carried))
    found = type_decision(cls)
    if found is None:
        return TypeReading(name, _unclassified(name), (_looks_below(cls),))
    entry, decision, wrapper = found
    notes = (_ERRNO_FIRST,) if issubclass(cls, OSError) else (_ASKED_FIRST,) if wrapper else ()
    return TypeReading(name, _of_entry(name, entry, decision), notes)


def _looks_below(cls: type) -> str:
    if issubclass(cls, BaseExceptionGroup):
        return (
            "It is a group, so its members are asked: a permanent one weighs most, then one of unknown outcome, then "
            "the longest delay."
        )
    if is_bug(cls):
        return "It is a mistake in code: its '__cause__' is asked, what was merely being handled meanwhile is not."
    return "Nobody has decided about it: what it was raised from is asked first. A rule of yours can decide."


def _raised(name: str, cls: type[temporalio.exceptions.ApplicationError]) -> TypeReading:
    if not issubclass(cls, ApplicationError):
        notes = ("Its 'type' decides if it is one of the kinds, its flag 'non_retryable' if it is not.",)
        decision = _decided_by_raising("An application error of another type", ErrorKind.RETRYABLE, "retryable")
        return TypeReading(name, decision, notes, open_to_rules=False)
    return TypeReading(name, _decided_by_raising(name, cls.kind, cls.code), open_to_rules=False)


def _decided_by_raising(name: str, kind: ErrorKind, code: str) -> Classification:
    return classification(kind, code=code, subject=f"{name} was raised", source=f"raised as {kind.value}")


def _sqlstate(cls: type) -> Code | None:
    """Return the SQLSTATE that psycopg's and asyncpg's classes stand for."""
    state = getattr(cls, "sqlstate", None)
    decision = SYSTEMS["SQLSTATE"](state) if isinstance(state, str) else None
    return None if decision is None else Code("SQLSTATE", str(state), decision)


def decided_by_code(code: Code) -> Classification:
    """Return what is decided about any exception that carries a code."""
    return classification(code.decision.kind, code=code.code, subject=code.described, source=code.source)


def _of_entry(name: str, entry: str, decision: Decision) -> Classification:
    return classification(
        decision.kind, code=f"type.{entry}", subject=f"{name} ({decision.name})", source=f"type {entry}"
    )


def _no_failure(name: str, code: str) -> Classification:
    return classification(
        ErrorKind.NON_RETRYABLE, code=code, subject=f"{name} is no failure", source=f"type {name}", failure=False
    )


def _unclassified(name: str) -> Classification:
    return classification(
        ErrorKind.RETRYABLE,
        code=UNCLASSIFIED,
        subject=f"Nobody has decided about {name} yet",
        source=UNCLASSIFIED,
    )
