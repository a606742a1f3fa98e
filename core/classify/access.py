"""Through which vascular access: a second one counts only when it was needed."""

from __future__ import annotations

from collections.abc import Sequence

from ivcoder.classify.service import BY_VEIN, Option, Question
from ivcoder.encounter import AccessReason, Given
from ivcoder.rule import Finding, Verdict, applies, cannot_tell, does_not, rule


@rule(
    "second-access",
    "classify",
    "A second, needed access has its own initial service",
    sources=(
        "cms-rac-0071",
        "noridian-initial-administration",
        "fcso-infusion-hydration",
        "aapc-two-trips",
        "ohiohima-part3",
    ),
    says="Access {access} was needed beside the other ({reason}): it has an initial service of its own.",
    otherwise="Access {access} was used for {reason}, which does not make it a second access.",
    unsure="Why access {access} was used beside the other is not documented; counted as one access.",
)
def second_access(access: str, rows: Sequence[Given]) -> Verdict:
    """One initial service is reported for each vascular access. A second access counts only when drugs must
    not be mixed or a protocol asks for it, documented; not for convenience, and not as a second lumen of one line.
    """
    reasons = {row.access_reason for row in rows} - {None}
    words = {
        AccessReason.INCOMPATIBLE_DRUGS: "drugs that must not be mixed",
        AccessReason.PROTOCOL: "the protocol asks for it",
        AccessReason.CONVENIENCE: "convenience",
        AccessReason.SECOND_LUMEN: "a second lumen of the same line",
    }
    for reason in (AccessReason.INCOMPATIBLE_DRUGS, AccessReason.PROTOCOL):
        if reason in reasons:
            return applies(access=access, reason=words[reason])
    for reason in (AccessReason.CONVENIENCE, AccessReason.SECOND_LUMEN):
        if reason in reasons:
            return does_not(access=access, reason=words[reason])
    return cannot_tell("access_reason", access=access)


def accesses_of(rows: Sequence[Given], questions: list[Question]) -> dict[str, tuple[str, tuple[Finding, ...]]]:
    """For each site label: the access it counts as ("" is the common one), and the finding behind it."""
    sites: dict[str, list[Given]] = {}
    for row in rows:
        if row.route in BY_VEIN:
            sites.setdefault(row.access_site, []).append(row)
    if len(sites) < 2:
        return dict.fromkeys(sites, ("", ()))
    found = {site: second_access(site, members) for site, members in sites.items()}
    denied = [site for site, finding in found.items() if not finding.holds and not finding.open]
    if len(sites) == 2 and len(denied) == 1:
        # Of two sites one is said to be no second access: then neither is, whatever the other says.
        return {site: ("", (found[site],) if site in denied else ()) for site in sites}
    common = sorted(
        (site for site, finding in found.items() if not finding.holds),
        key=lambda site: (min((row.start for row in sites[site] if row.start is not None), default=0), site),
    )
    if common and found[common[0]].open:
        # The first of several is simply the access; only a further one needs a reason.
        first = common.pop(0)
        others = {site: finding for site, finding in found.items() if site != first}
    else:
        first, others = "", found
    answer: dict[str, tuple[str, tuple[Finding, ...]]] = {first: ("", ())} if first else {}
    for site, finding in others.items():
        answer[site] = (site if finding.holds else "", (finding,))
        if finding.open:
            asked = sites[site][0].id
            options = tuple(
                Option(f"access_{reason.value}", {}, {asked: {"access_reason": reason}})
                for reason in (AccessReason.INCOMPATIBLE_DRUGS, AccessReason.SECOND_LUMEN)
            )
            questions.append(Question(asked, "access_reason", finding, options))
    return answer
