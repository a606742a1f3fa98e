"""A rule, the registry of all rules, and what a rule finds.

A rule is a small function beside the step that uses it. Its docstring is what it says, in our words; the
decorator adds where that stands, since when, and the sentences it is put into. It answers in three ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from inspect import cleandoc
from typing import Generic, Literal, NamedTuple, ParamSpec, TypeAlias

from ivcoder.book import OPENING, Confidence

P = ParamSpec("P")
_tuple = tuple.__new__

Step = Literal["classify", "rank", "select", "edits", "denials", "audit"]
Nature = Literal["policy", "convention", "disputed", "reading"]
"""Whether a rule is written policy, what the field does, a point sources disagree on, or our own reading."""


class Outcome(StrEnum):
    """The three answers a rule can give."""

    APPLIES = "applies"
    DOES_NOT_APPLY = "does_not_apply"
    CANNOT_TELL = "cannot_tell"


Verdict: TypeAlias = tuple[Outcome, Mapping[str, str | int], str | None]
"""What a rule's function returns: the outcome, the facts its sentence needs, and the field that is missing."""


def applies(**facts: str | int) -> Verdict:
    """The rule applies."""
    return (Outcome.APPLIES, facts, None)


def does_not(**facts: str | int) -> Verdict:
    """The rule does not apply."""
    return (Outcome.DOES_NOT_APPLY, facts, None)


def cannot_tell(missing: str, **facts: str | int) -> Verdict:
    """The rule cannot be decided; ``missing`` is the field of the encounter that would decide it."""
    return (Outcome.CANNOT_TELL, facts, missing)


def listed(names: Iterable[str], word: str = "and") -> str:
    """Names as a sentence has them, each once: "A", "A and B", "A, B and C"."""
    *first, last = dict.fromkeys(names)
    return f"{', '.join(first)} {word} {last}" if first else last


class Finding(NamedTuple):
    """A rule's answer in one case."""

    rule: str
    outcome: Outcome
    facts: Mapping[str, str | int]
    missing: str | None

    @property
    def holds(self) -> bool:
        """Whether the rule applies."""
        return self.outcome is Outcome.APPLIES

    @property
    def open(self) -> bool:
        """Whether the rule cannot tell."""
        return self.outcome is Outcome.CANNOT_TELL


@dataclass(frozen=True, slots=True)
class Rule(Generic[P]):
    """A rule: callable like its function, and listed in ``RULES``."""

    id: str
    step: Step
    title: str
    statement: str
    sources: tuple[str, ...]
    nature: Nature
    confidence: Confidence
    since: date
    sentences: Mapping[Outcome, str]
    decide: Callable[P, Verdict]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Finding:
        """Ask the rule."""
        outcome, facts, missing = self.decide(*args, **kwargs)
        return _tuple(Finding, (self.id, outcome, facts, missing))


RULES: dict[str, Rule[...]] = {}
"""Every rule by id, in the order of the steps."""


def rule(
    id: str,  # noqa: A002 - the field's own name
    step: Step,
    title: str,
    *,
    sources: tuple[str, ...],
    nature: Nature = "policy",
    confidence: Confidence = Confidence.HIGH,
    since: date = OPENING,
    says: str,
    otherwise: str | None = None,
    unsure: str | None = None,
) -> Callable[[Callable[P, Verdict]], Rule[P]]:
    """Register a function as a rule.

    ``says``, ``otherwise`` and ``unsure`` are the sentences for the three outcomes, with the verdict's facts
    in braces; a rule without ``unsure`` never lacks a fact. The function's docstring is the statement, with
    thresholds of the book in braces.
    """

    def register(function: Callable[P, Verdict]) -> Rule[P]:
        if id in RULES:
            raise ValueError(f"two rules with the id {id}")
        sentences = {
            Outcome.APPLIES: says,
            Outcome.DOES_NOT_APPLY: otherwise,
            Outcome.CANNOT_TELL: unsure,
        }
        made = Rule(
            id=id,
            step=step,
            title=title,
            statement=cleandoc(function.__doc__ or ""),
            sources=sources,
            nature=nature,
            confidence=confidence,
            since=since,
            sentences={outcome: text for outcome, text in sentences.items() if text},
            decide=function,
        )
        RULES[id] = made
        return made

    return register
