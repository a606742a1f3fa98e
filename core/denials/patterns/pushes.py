"""Denied pushes: where, when, which drug and how long."""

from __future__ import annotations

from ivcoder.classify import Kind
from ivcoder.denials.claim import BilledLine, Case
from ivcoder.encounter import Claim
from ivcoder.rule import Verdict, applies, cannot_tell, does_not, rule

PUSHES = frozenset({"push_initial", "push_new_drug", "push_same_drug"})
CHEMO_PUSHES = frozenset({"chemo_push_initial", "chemo_push_new_drug"})


@rule(
    "denied-repeat-push-place",
    "denials",
    "Denied: a repeat push outside a hospital outpatient facility",
    sources=("cpt", "ahima-107707", "aapc-office-same-drug-thread", "carecost-iv-push"),
    says="{code} was billed from {place}; pushing the same drug again is reported only by hospital outpatient "
    "facilities, and is included in the push before.",
    otherwise="{code} is not a repeat push from outside a hospital outpatient facility.",
    unsure="Where {code} was given decides whether it is reportable, and the place of service is not stated.",
)
def denied_repeat_push_place(case: Case, line: BilledLine) -> Verdict:
    """A further push of the same drug is reportable by hospital outpatient facilities only, the emergency
    department among them.
    """
    if case.role(line) != "push_same_drug" or denied_new_drug_as_same(case, line).holds:
        return does_not(code=line.code)
    if case.place is None:
        return cannot_tell("place_of_service", code=line.code)
    allowed = case.place.outpatient_hospital and case.claim is not Claim.PROFESSIONAL
    return (does_not if allowed else applies)(code=line.code, place=case.place.spoken)


@rule(
    "denied-repeat-push-too-soon",
    "denials",
    "Denied: a repeat push too soon after the last",
    sources=("cpt", "umiami-obc", "centramed-bolus", "wearemedicalcoders-96374"),
    says="{code} was billed for a push of {drug} {gap} minutes {order} {other} began; it needs at least {limit}.",
    otherwise="{code} is not a repeat push that came too soon.",
    unsure="Whether {code} is reportable depends on the time since the last reported push of the drug, which is not "
    "given.",
)
def denied_repeat_push_too_soon(case: Case, line: BilledLine) -> Verdict:
    """A push of the same drug within {repeat_push_disputed} minutes of a reported one is not reportable."""
    if case.role(line) != "push_same_drug":
        return does_not(code=line.code)
    if case.edited is None or not line.administrations:
        return cannot_tell("administrations", code=line.code)
    for row in case.edited.refused:
        if set(row.administrations) & set(line.administrations):
            for finding in row.findings:
                if finding.rule == "repeat-push-interval":
                    return (
                        cannot_tell("start", code=line.code)
                        if finding.open
                        else applies(code=line.code, **{**finding.facts, "other": "the one reported"})
                    )
    return does_not(code=line.code)


@rule(
    "denied-chemo-as-push",
    "denials",
    "Denied: a chemotherapy push billed as another drug's",
    sources=("carecost-iv-push", "noridian-chemo-nonchemo"),
    says="{code} was billed for {drug}, which counts as chemotherapy; a chemotherapy push has codes of its own.",
    otherwise="{code} was not billed for a chemotherapy push.",
    unsure="Which drug {code} was billed for is not given, or payers differ on it.",
)
def denied_chemo_as_push(case: Case, line: BilledLine) -> Verdict:
    """Chemotherapy and highly complex biologics given by push take the chemotherapy push codes."""
    if case.role(line) not in PUSHES:
        return does_not(code=line.code)
    chemo = case.is_chemo(line)
    if chemo is None:
        return cannot_tell("category" if case.drug(line) else "drug", code=line.code)
    kinds = {row.kind for row in case.services(line)}
    hit = chemo and kinds <= {Kind.PUSH}
    return (applies if hit else does_not)(code=line.code, drug=case.named(line))


@rule(
    "denied-push-over-time",
    "denials",
    "Denied: a push billed for documented infusion time",
    sources=("fcso-infusion-hydration", "cms-article-a53778", "carecost-iv-push"),
    says="{code} was billed for {drug}, but the record documents {minutes} minutes: an infusion, not a push.",
    otherwise="{code} was not billed for documented infusion time.",
    unsure="How long the drug of {code} ran is not given.",
)
def denied_push_over_time(case: Case, line: BilledLine) -> Verdict:
    """Documented time past {push_longest} minutes makes an infusion, unless a manual push was attended throughout."""
    if case.role(line) not in PUSHES | CHEMO_PUSHES:
        return does_not(code=line.code)
    services = case.services(line)
    if not services:
        return cannot_tell("administrations", code=line.code)
    service = services[0]
    if service.kind is not Kind.INFUSION:
        return does_not(code=line.code)
    return applies(code=line.code, drug=service.drug, minutes=service.length)


@rule(
    "denied-same-drug-as-new",
    "denials",
    "Denied: a push of the same drug billed as another drug's",
    sources=("cpt", "ahima-107707", "carecost-iv-push"),
    says="{code} was billed for {drug}, which another billed push gave already; it is for another drug only.",
    otherwise="{code} was not billed for a drug pushed already.",
    unsure="Which drugs the pushes gave is not stated, so whether {code} stands for another drug is open.",
)
def denied_same_drug_as_new(case: Case, line: BilledLine) -> Verdict:
    """The additional push is for another drug. The same drug again is a repeat push in a hospital outpatient
    facility, and not reported elsewhere.
    """
    if case.role(line) != "push_new_drug":
        return does_not(code=line.code)
    substance = case.substance(line)
    others = [row for row in case.family if row is not line and case.role(row) in PUSHES]
    if substance is None or any(case.substance(row) is None for row in others):
        return cannot_tell("drug", code=line.code)
    same = [row for row in others if case.substance(row) == substance]
    first = not any(case.role(row) == "push_initial" for row in same) and _is_first(case, line, same)
    return (applies if same and not first else does_not)(code=line.code, drug=case.named(line))


@rule(
    "denied-new-drug-as-same",
    "denials",
    "Denied: a push of another drug billed as the same drug's",
    sources=("cpt", "ahima-107707"),
    says="{code} was billed for {drug}, which no other line gave; it is for the same drug again only.",
    otherwise="{code} was not billed for a drug that no other line gave.",
)
def denied_new_drug_as_same(case: Case, line: BilledLine) -> Verdict:
    """The repeat push is for a drug pushed before; another drug is an additional push."""
    others = [case.substance(row) for row in case.family if row is not line]
    known = case.drug(line) is not None and others and None not in others
    hit = case.role(line) == "push_same_drug" and known and case.substance(line) not in others
    return (applies if hit else does_not)(code=line.code, drug=case.named(line))


def _is_first(case: Case, line: BilledLine, same: list[BilledLine]) -> bool:
    """Whether this is the drug's first push: by the clock where it tells, else by the order billed."""
    lines = [line, *same]
    starts = [min((row.start for row in case.services(each) if row.start is not None), default=None) for each in lines]
    known = [start for start in starts if start is not None]
    if len(known) == len(lines):
        return starts[0] == min(known) and starts.count(starts[0]) == 1
    return all(case.number(line) < case.number(row) if row.denied == line.denied else row.denied for row in same)
