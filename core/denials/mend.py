"""One billed line mended: what each pattern's fault turns it into, or what is wanted before it can be mended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ivcoder.denials.claim import BilledLine, Case, Fixed
from ivcoder.denials.patterns.pushes import PUSHES
from ivcoder.denials.patterns.services import family_role, the_one
from ivcoder.encounter import Claim

DEMOTED: Mapping[str, str] = {
    "chemo_infusion_initial": "chemo_infusion_sequential",
    "chemo_push_initial": "chemo_push_new_drug",
    "infusion_initial": "infusion_sequential",
    "push_initial": "push_new_drug",
    "hydration_initial": "hydration_more",
}
PROMOTED: Mapping[str, str] = {later: initial for initial, later in DEMOTED.items()}


class Off(NamedTuple):
    """The line comes off the claim."""


class Lacks(NamedTuple):
    """The line cannot be mended without a fact."""

    field: str


Mended = Fixed | Off | Lacks
_Fix = Callable[[Case, BilledLine], Mended]


def kept(line: BilledLine) -> Fixed:
    """A line as it was billed."""
    return Fixed(line.code, line.units, line.modifiers, line.code, "kept")


def changed(
    case: Case, line: BilledLine, code: str, units: int | None = None, marks: tuple[str, ...] | None = None
) -> Fixed:
    """A line with another code, units or separate-service modifiers; its other modifiers stay."""
    own = tuple(mark for mark in line.modifiers if mark not in case.separate)
    modifiers = line.modifiers if marks is None else (*own, *(mark for mark in marks if mark not in own))
    return Fixed(code, line.units if units is None else units, modifiers, line.code, "changed")


def mend(case: Case, line: BilledLine, rules: Sequence[str]) -> Mended:
    """A line as the first of its patterns that can be mended leaves it."""
    for rule in rules:
        if rule in _FIXES:
            return _FIXES[rule](case, line)
    return kept(line)


def to_role(case: Case, line: BilledLine, role: str, **parts: int) -> Fixed:
    """A line with the code of another role."""
    return changed(case, line, case.book.codes[role].code, parts.get("units"))


def _off(_: Case, __: BilledLine) -> Mended:
    return Off()


def _lacks(field: str) -> _Fix:
    def fix(_: Case, __: BilledLine) -> Mended:
        return Lacks(field)

    return fix


def to_family(case: Case, line: BilledLine) -> Mended:
    """The role of the drug's own family."""
    return to_role(case, line, family_role(case, line))


def may_repeat(case: Case) -> bool:
    """Whether a repeat push of the same drug may be reported from here."""
    return case.place is not None and case.place.outpatient_hospital and case.claim is not Claim.PROFESSIONAL


def _same_drug(case: Case, line: BilledLine) -> Mended:
    return to_role(case, line, "push_same_drug") if may_repeat(case) else Off()


def _new_drug(case: Case, line: BilledLine) -> Mended:
    return to_role(case, line, "push_new_drug")


def _alone(case: Case, line: BilledLine) -> Mended:
    """An add-on by itself is the initial service if it is the only one and its drug is known."""
    role = family_role(case, line)
    only = len(case.family) == 1 and role in PROMOTED and case.role(line) in (*PUSHES, "chemo_push_new_drug")
    if only and case.drug(line) is not None and case.is_chemo(line) is not None:
        return to_role(case, line, PROMOTED[role])
    return Lacks("administrations")


def _one_concurrent(case: Case, line: BilledLine) -> Mended:
    return changed(case, line, line.code, 1) if the_one(case, line) is line else Off()


def _dated(case: Case, line: BilledLine) -> Mended:
    """The one code now in force of what the line gave, when a unit of it stands for the same amount."""
    codes: set[str] = set()
    for drug in case.meant_by(line):
        old = next(row for row in drug.hcpcs if row.code == line.code)
        alike = [row.code for row in drug.billing_on(case.book.day) if row.per == old.per]
        if not alike:
            return Lacks("dose")
        codes.update(alike)
    return changed(case, line, codes.pop()) if len(codes) == 1 else Lacks("drug")


def _one_unit(case: Case, line: BilledLine) -> Mended:
    return changed(case, line, line.code, 1)


def _unmarked(case: Case, line: BilledLine) -> Mended:
    rest = tuple(mark for mark in line.modifiers if mark not in case.misplaced)
    return Fixed(line.code, line.units, rest, line.code, "changed")


def _not_a_drug(case: Case, line: BilledLine) -> Mended:
    """Fluid by infusion may be hydration, if it ran long enough by itself."""
    return Lacks("administrations") if "infusion" in case.role(line) else Off()


_FIXES: Mapping[str, _Fix] = {
    "denied-professional-in-facility": _off,
    "denied-inpatient": _off,
    "denied-not-a-drug": _not_a_drug,
    "denied-repeat-push-place": _off,
    "denied-repeat-push-too-soon": _off,
    "denied-chemo-as-push": to_family,
    "denied-other-family": to_family,
    "denied-push-over-time": _lacks("questions"),
    "denied-same-drug-as-new": _same_drug,
    "denied-new-drug-as-same": _new_drug,
    "denied-initial-units": _one_unit,
    "denied-add-on-alone": _alone,
    "denied-hydration": _off,
    "denied-second-concurrent": _one_concurrent,
    "denied-included-service": _off,
    "denied-minimal-visit": _off,
    "denied-modifier-misplaced": _unmarked,
    "denied-drug-code-out-of-date": _dated,
    "denied-wastage-unmarked": _lacks("discarded"),
    "denied-unsupported": _off,
}
REMOVING = frozenset(rule for rule, fix in _FIXES.items() if fix is _off)
"""Rules whose line comes off the claim, and so needs no second reason."""
