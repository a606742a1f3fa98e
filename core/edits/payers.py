"""What one payer wants to be known of a claim, or pays another way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ivcoder.book import Confidence, Difference, Rulebook
from ivcoder.encounter import Claim, Visit
from ivcoder.rule import Finding, Verdict, applies, does_not, rule
from ivcoder.select import Earned, Remark


@rule(
    "payer-unknown",
    "edits",
    "A payer of which nothing is known is said to be one",
    sources=("house",),
    nature="reading",
    says="Nothing is known here of how {payer} differs; the rulebook as it stands was used.",
    otherwise="No payer is given, or it is one the rulebook knows.",
)
def payer_unknown(visit: Visit, book: Rulebook) -> Verdict:
    """For a payer without a row in the rulebook the answer follows the rulebook as it stands, and says so."""
    if visit.payer is None or visit.payer in book.payers:
        return does_not()
    return applies(payer=visit.payer)


@rule(
    "payer-place-payment",
    "edits",
    "Some payers pay drug administration by another way in some places",
    sources=("cfr-42-416.164", "iom-100-04-ch14", "iom-100-02-ch13", "fr-2010-18466", "jop-snf-2008", "cms-mm11880"),
    confidence=Confidence.MEDIUM,
    says="At {place}, {payer} {payment}. The claim form there is {form}.",
    otherwise="Nothing is known of another way in which {payer} pays drug administration at {place}.",
)
def payer_place_payment(payer: str, place: str, row: Difference | None) -> Verdict:
    """A clinic paid by the visit, a dialysis facility, a surgical center, a nursing facility in a covered stay, or a
    home infusion supplier may be paid for giving drugs within another amount, or by codes of its own. The lines show
    what was done; the answer says how the payer pays there, and on which claim form.
    """
    if row is None:
        return does_not(payer=payer, place=place)
    return applies(payer=payer, place=place, payment=row.says, form=row.form or "the usual one")


@rule(
    "department-modifier",
    "edits",
    "Lines of an off-campus department say whether it is excepted",
    sources=("iom-100-04-ch4-20.6.11", "bricker-pn-po", "mediware-po", "rca-pn"),
    says="{payer} wants every line from {place} on the {form} marked: {marks}. Whether the department is excepted is "
    "for the hospital to say; no mark was added.",
    otherwise="The payer wants no mark for a department at this place and on this claim.",
)
def department_modifier(visit: Visit, book: Rulebook) -> Verdict:
    """Medicare wants the lines of a hospital's off-campus provider-based department marked as excepted or not, by
    date. The record does not show which the department is, so the answer names both and adds neither.
    """
    rows = [row for row in book.differs(visit.payer, "department_marks") if visit.place.code in row.places]
    excepted, other = (book.modifiers.get(name) for name in ("department_excepted", "department_not_excepted"))
    if not rows or visit.claim is not Claim.FACILITY or excepted is None:
        return does_not()
    marks = excepted if other is None else f"{excepted} if the department is excepted, {other} if it is not"
    name = book.payers[visit.payer or ""].name
    return applies(payer=name, place=visit.place.spoken, form=rows[0].form or "claim", marks=marks)


@rule(
    "payer-most-units",
    "edits",
    "A payer's most units without documentation",
    sources=("hpsj-injections",),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{payer} wants documentation of necessity for more than {most} units of {code} on one day; here are {units}.",
    otherwise="{code} is within the units that {payer} takes without documentation.",
)
def payer_most_units(payer: str, code: str, units: int, most: int) -> Verdict:
    """Some payers take only so many units of a code on one day without further documentation. The units the record
    supports stay on the claim, and the answer says what the payer will ask for.
    """
    return (applies if units > most else does_not)(payer=payer, code=code, units=units, most=most)


@rule(
    "payer-drug-marks",
    "edits",
    "A payer wants more on the lines of some drugs",
    sources=("palmetto-esa-ec", "aapc-esa-hepc", "aapc-retacrit"),
    confidence=Confidence.MEDIUM,
    nature="convention",
    says="{payer} wants on the line of {code} {marks}. Nothing was added: the diagnosis is not part of what is charted "
    "here.",
    otherwise="Nothing more is known to be wanted on the line of {code}.",
)
def payer_drug_marks(payer: str, code: str, row: Difference | None) -> Verdict:
    """Medicare takes an agent against anemia outside dialysis only with the modifier that says what the anemia came
    from. The diagnosis is not part of an encounter here, so the answer names the modifiers and adds none.
    """
    return applies(payer=payer, code=code, marks=row.says) if row else does_not(code=code)


def of_drugs(drug_lines: Sequence[Earned], visit: Visit, book: Rulebook) -> Iterator[Remark]:
    """What the payer wants on the lines of these drugs."""
    rows = book.differs(visit.payer, "drug_marks")
    for line in drug_lines if rows else ():
        code = line.code or ""
        row = next((row for row in rows if code in row.codes), None)
        found = payer_drug_marks(book.payers[visit.payer or ""].name, code, row)
        if found.holds:
            yield Remark("warning", (found,), line.administrations)


def by_payer(earned: Sequence[Earned], visit: Visit, book: Rulebook) -> Iterator[Remark]:
    """What the payer wants to be known of these lines, or that nothing is known of the payer."""
    if visit.payer is None:
        return
    unknown = payer_unknown(visit, book)
    if unknown.holds:
        yield Remark("info", (unknown,))
        return
    name = book.payers[visit.payer].name
    payment = _paid_here(visit, book)
    if payment is not None and payment.holds:
        yield Remark("info", (payment,))
    marked = department_modifier(visit, book)
    if marked.holds:
        yield Remark("info", (marked,))
    for row in book.differs(visit.payer, "most_units"):
        for role in row.roles:
            lines = [line for line in earned if line.role == role]
            units = sum(line.units for line in lines)
            if lines and (many := payer_most_units(name, book.codes[role].code, units, row.most or 0)).holds:
                yield Remark("warning", (many,), lines[0].administrations)


def within_payment(visit: Visit, book: Rulebook) -> Finding | None:
    """Why a payer that pays giving drugs at this place within another amount takes no code for it, if it takes none."""
    return _paid_here(visit, book) if any(row.bars for row in _paying(visit, book)) else None


def _paid_here(visit: Visit, book: Rulebook) -> Finding | None:
    """How the payer pays giving drugs at this place; None for a payer that pays no place another way."""
    if not book.differs(visit.payer, "place_payment"):
        return None
    here = next(iter(_paying(visit, book)), None)
    return payer_place_payment(book.payers[visit.payer or ""].name, visit.place.spoken, here)


def _paying(visit: Visit, book: Rulebook) -> list[Difference]:
    return [row for row in book.differs(visit.payer, "place_payment") if visit.place.code in row.places]
