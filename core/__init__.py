"""ivcoder: from what was charted to drug-administration codes with reasons.

    >>> from ivcoder import select_push_codes
    >>> coding = select_push_codes({
    ...     "place_of_service": "22",
    ...     "administrations": [{"id": "1", "drug": "Solu-Medrol", "route": "iv_push", "start": "09:00"}],
    ... })
    >>> [(line.code, line.units) for line in coding.lines]
    [('96374', 1)]

Code numbers are the AMA's CPT and CMS's HCPCS; holding a CPT licence is the user's part.
"""

from __future__ import annotations

from collections.abc import Mapping

from ivcoder import explain
from ivcoder._version import __version__
from ivcoder.answer import Audit, Classification, Coding, DenialExplanation, Ranking
from ivcoder.audit import BilledClaim, audit
from ivcoder.book import DrugTable, EditTable, EditTables, Rulebook
from ivcoder.denials import BilledLine, Denial, examine
from ivcoder.documentation import document
from ivcoder.edits import checked, consulted
from ivcoder.encounter import Administration, Encounter, visit_of
from ivcoder.explain.audit import audit_answer
from ivcoder.explain.denial import denial_explanation
from ivcoder.faults import Fault, InvalidInput
from ivcoder.what_if import Explored, explore, unexplored
from ivcoder.what_if import answer as walk

__all__ = [
    "Administration",
    "Audit",
    "BilledClaim",
    "BilledLine",
    "Classification",
    "Coding",
    "Denial",
    "DenialExplanation",
    "DrugTable",
    "EditTable",
    "EditTables",
    "Encounter",
    "Fault",
    "InvalidInput",
    "Ranking",
    "Rulebook",
    "__version__",
    "audit_claim",
    "classify_administration",
    "explain_denial",
    "rank_services",
    "select_push_codes",
]

EncounterLike = Encounter | Mapping[str, object]


def _walk(encounter: Encounter, drugs: DrugTable | None, *, what_if: bool, claim: bool) -> Explored:
    """The way to the lines; for a whole ``claim``, with what is to be said of it and its tipping points."""
    book = Rulebook.on(encounter.date_of_service, drugs)
    edited = walk(visit_of(encounter, book), book, remarks=claim)
    return explore(edited, tipping=claim) if what_if else unexplored(edited)


def classify_administration(encounter: EncounterLike, *, drugs: DrugTable | None = None) -> Classification:
    """What kind of service was each administration?

    Args:
        encounter: an ``Encounter``, or a mapping with its fields.
        drugs: your own rows over the formulary.

    Raises:
        InvalidInput: the mapping is not an encounter; ``faults`` says why.

    """
    given = Encounter.read(encounter)
    explored = _walk(given, drugs, what_if=True, claim=False)
    return explain.classification(given, explored.edited.selected.ranked.classified, explored)


def rank_services(encounter: EncounterLike, *, drugs: DrugTable | None = None) -> Ranking:
    """Which service is the initial one, and how do the others follow?

    Arguments and errors as in ``classify_administration``.
    """
    given = Encounter.read(encounter)
    explored = _walk(given, drugs, what_if=True, claim=False)
    return explain.ranking(given, explored.edited.selected.ranked, explored)


def select_push_codes(
    encounter: EncounterLike,
    *,
    drugs: DrugTable | None = None,
    tables: EditTables | None = None,
    what_if: bool = True,
) -> Coding:
    """Which codes and units does the encounter support, and why?

    Arguments and errors as in ``classify_administration``; ``tables`` are CMS's quarterly edits as you loaded them,
    which go before the rulebook's own; ``what_if=False`` leaves out the questions' outcomes and the tipping points,
    which each walk the encounter again.
    """
    given = Encounter.read(encounter)
    explored = _walk(given, drugs, what_if=what_if, claim=True)
    edits = checked(explored.edited, tables)
    documented = document(explored) if what_if else None
    return explain.coding(given, explored, edits, consulted(explored.edited, tables), documented)


def explain_denial(
    denial: Denial | Mapping[str, object], *, drugs: DrugTable | None = None, tables: EditTables | None = None
) -> DenialExplanation:
    """Why were billed lines denied, is the payer right, and what now?

    Args:
        denial: a ``Denial``, or a mapping with its fields.
        drugs: your own rows over the formulary.
        tables: CMS's quarterly edits as you loaded them, held against what the encounter supports.

    Raises:
        InvalidInput: the mapping is not a denial; ``faults`` says why.

    """
    given = Denial.read(denial)
    examined = examine(given, drugs)
    edited = examined.case.edited
    if edited is None:
        return denial_explanation(given, examined)
    return denial_explanation(given, examined, checked(edited, tables), consulted(edited, tables))


def audit_claim(
    claim: BilledClaim | Mapping[str, object], *, drugs: DrugTable | None = None, tables: EditTables | None = None
) -> Audit:
    """Does the record support what was billed, and what was missed?

    Args:
        claim: a ``BilledClaim``, or a mapping with its fields: the encounter and the billed lines.
        drugs: your own rows over the formulary.
        tables: CMS's quarterly edits as you loaded them, held against what the encounter supports.

    Raises:
        InvalidInput: the mapping is not a billed claim; ``faults`` says why.

    """
    given = BilledClaim.read(claim)
    audited = audit(given, drugs)
    edited = audited.explored.edited
    return audit_answer(given, audited, checked(edited, tables), consulted(edited, tables))
