"""An audit in words: what is wrong with the billed lines, what they stand for, and what is left aside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ivcoder.answer import Audit, AuditFinding, Matched, NotAudited, Notice
from ivcoder.audit import Audited, BilledClaim, Found
from ivcoder.book import EditTable
from ivcoder.edits import Checked
from ivcoder.explain import edit_parts, line_parts, notices, question, receipt_of, told
from ivcoder.rule import Finding


def audit_answer(claim: BilledClaim, audited: Audited, edits: Sequence[Checked], tables: Iterable[EditTable]) -> Audit:
    """Put an audit into words, with payers' edits as the consulted ``tables`` have them."""
    visit = audited.explored.edited.selected.ranked.classified.visit
    compared = audited.compared
    waits = audited.open or (audited.questions and not audited.found)
    status = "needs_information" if waits else "findings" if audited.found else "clean"
    return Audit.model_validate(
        {
            "status": status,
            "findings": tuple(_finding(audited, row) for row in audited.found),
            "undecided": tuple(_finding(audited, row, depends) for row, depends in audited.open),
            "matched": tuple(
                Matched(line=pair.billed + 1, supported=pair.supported + 1, units=pair.units)
                for pair in sorted(compared.pairs)
            ),
            "not_audited": tuple(
                NotAudited(line=row.billed + 1, code=claim.billed_lines[row.billed].code, why=why, rules=rules)
                for row in sorted(compared.aside, key=lambda row: row.billed)
                for why, rules in (told((row.finding,)),)
            ),
            "supported_lines": tuple(map(line_parts, compared.lines)),
            "questions": tuple(question(row, visit) for row in audited.questions),
            "notices": tuple(_notices(audited)),
            "edits": tuple(map(edit_parts, edits)),
            "receipt": receipt_of(claim, claim.encounter.date_of_service, audited.case.book, tables),
        }
    )


def _finding(audited: Audited, row: Found, *depends: Finding) -> AuditFinding:
    """A finding with the reasons of the line it was held against, where those tell why."""
    lines = audited.compared.lines
    behind = () if row.kind == "wrong_modifier" or not row.supported else lines[row.supported[0]].findings
    why, rules = told((*row.findings, *behind, *depends))
    return AuditFinding(
        line=None if row.billed is None else row.billed + 1,
        code=row.code,
        kind=row.kind,
        direction=row.direction,
        supported=tuple(number + 1 for number in row.supported),
        why=why,
        rules=rules,
    )


def _notices(audited: Audited) -> Iterator[Notice]:
    """The audit's own notes, then the coding's, on the billed lines that stand for theirs."""
    for note in audited.compared.notes:
        why, rules = told((note.finding,))
        yield Notice(level="info", line=note.billed + 1, why=why, rules=rules)
    billed = {pair.supported + 1: pair.billed + 1 for pair in sorted(audited.compared.pairs, reverse=True)}
    for row in notices(audited.explored.edited):
        read = Notice.model_validate(row)
        yield read.model_copy(update={"line": billed.get(read.line or 0)})
