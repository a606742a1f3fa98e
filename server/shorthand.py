"""One administration as short text: ``Solu-Medrol 125 mg iv push 09:00-09:03``.

DRUG [DOSE] ROUTE [TIMES or LENGTH] [name=value ...]. The drug stands before the route, the times behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ivcoder.encounter import Administration
from ivcoder.faults import Fault, InvalidInput

_ROUTES: Mapping[str, str] = {
    "iv push": "iv_push",
    "slow iv push": "iv_push",
    "slow ivp": "iv_push",
    "sivp": "iv_push",
    "ivp": "iv_push",
    "push": "iv_push",
    "iv infusion": "iv_infusion",
    "iv drip": "iv_infusion",
    "iv piggyback": "iv_infusion",
    "ivpb": "iv_infusion",
    "piggyback": "iv_infusion",
    "infusion": "iv_infusion",
    "drip": "iv_infusion",
    "gtt": "iv_infusion",
    "ivf": "iv_infusion",
    "iv pump": "iv_pump",
    "pump": "iv_pump",
    "sc infusion": "sc_infusion",
    "subcutaneous infusion": "sc_infusion",
    "im": "im",
    "intramuscular": "im",
    "sc": "sc",
    "sq": "sc",
    "subq": "sc",
    "s.c.": "sc",
    "subcut": "sc",
    "subcutaneous": "sc",
    "intradermal": "intradermal",
    "intra-arterial push": "intra_arterial_push",
    "intra-arterial infusion": "intra_arterial_infusion",
    "intra-arterial pump": "intra_arterial_pump",
    "ommaya": "csf_reservoir",
    "intrapleural": "intrapleural",
    "intraperitoneal": "intraperitoneal",
    "intralesional": "intralesional",
    "on-body injector": "on_body_injector",
    "obi": "on_body_injector",
    "portable pump refill": "portable_pump_refill",
    "implanted pump refill": "implanted_pump_refill",
    "epidural": "epidural",
    "nerve block": "nerve_block",
    "intra-articular": "intra_articular",
    "intravesical": "intravesical",
    "intravitreal": "intravitreal",
    "intrathecal": "intrathecal",
    "it": "intrathecal",
    "endotracheal": "endotracheal",
    "po": "oral",
    "oral": "oral",
    "sublingual": "sublingual",
    "sl": "sublingual",
    "rectal": "rectal",
    "nasal": "nasal",
    "intranasal": "nasal",
    "inhaled": "inhaled",
    "nebulized": "inhaled",
    "neb": "inhaled",
    "topical": "topical",
}
_ROUTE = re.compile(
    r"(?<![\w-])(" + "|".join(sorted(map(re.escape, _ROUTES), key=len, reverse=True)) + r")(?![\w-])", re.IGNORECASE
)
_IV = re.compile(
    r"(?<![\w-])(iv)(?=\s+(?:over\s|[0-9]+\s*(?:min|hr|hour)|(?:from\s+)?[0-9]{1,2}:?[0-9]{2}\s*(?:-|\u2013|to|until)\s*[0-9]))",
    re.IGNORECASE,
)
"""``iv`` with a length or a stop: how long it ran decides what it is."""
_UNIT = r"(?:(?-i:MU)|million u(?:nits?)?|kg|mg|mcg|ug|µg|ng|grams?|gm|g|ml|cc|liters?|l|units?|i?u|meq|mmol|mci)"
_DOSE = re.compile(rf"(?<![\w.])[0-9][0-9,]*(?:\.[0-9]+)?\s*{_UNIT}(?!\w)", re.IGNORECASE)
_CARRIER = re.compile(r"\bin\s+[0-9][0-9,]*\s*(?:ml|cc)\b.*$|/\s*[0-9][0-9,]*\s*(?:ml|cc)\b", re.IGNORECASE)
"""``in 50 mL NS`` and ``/100 mL`` say what the drug was mixed in, which is part of giving it."""
_RATE = re.compile(
    rf"@?\s*(?<![\w.])[0-9][0-9,]*(?:\.[0-9]+)?\s*{_UNIT}?(?:/kg)?\s*/\s*(?:hr|hour|h|min)(?!\w)", re.IGNORECASE
)
_HYDRATION = re.compile(r"(?<!\w)(?:for\s+)?hydration(?!\w)", re.IGNORECASE)
_KEEP_OPEN = re.compile(r"(?<!\w)(?:kvo|tko)(?!\w)", re.IGNORECASE)
_TIME = r"([0-9]{1,2}:[0-9]{2}(?:\s*[ap]\.?m?\.?)?(?:\+[0-9])?|[0-9]{4}(?:\+[0-9])?|[0-9]{1,2}\s*[ap]\.?m\.?)"
_SPAN = re.compile(
    rf"(?:(?:at|from|start|started|@)\s*)?(?<![\w:]){_TIME}"
    rf"(?:\s*(?:-|\u2013|to|until|stop|stopped|end|ended)\s*{_TIME}?)?(?![\w:])",
    re.IGNORECASE,
)
_NOON = 12
_CLOCK = re.compile(r"([0-9]{1,2}?):?([0-9]{2})?\s*([ap])?\.?m?\.?(\+[0-9])?", re.IGNORECASE)
_LENGTH = re.compile(
    r"(?:(?:over|for|x)\s*)?(?<![\w.])([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*(minutes?|mins?|hours?|hrs?|h|m)(?!\w)",
    re.IGNORECASE,
)
_EXTRA = re.compile(r"(?<!\S)([a-z_]+)=(\"[^\"]*\"|\S+)")
_EXTRAS: Mapping[str, str] = {
    "site": "access_site",
    "with": "mixed_with",
    "reason": "access_reason",
    **{
        name: name
        for name in (
            "id",
            "purpose",
            "attended",
            "resumed",
            "discarded",
            "category",
            "hcpcs",
            "access_site",
            "access_reason",
            "access_device",
            "mixed_with",
            "encounter",
            "discontinued",
            "lesions",
            "counselled",
            "pump_from",
        )
    },
}
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}
_EXAMPLE = 'such as "Solu-Medrol 125 mg iv push 09:00-09:03"'


def administration(text: str, number: int) -> dict[str, object]:
    """Read one administration; ``number`` is its place, and its id unless it gives one.

    Raises:
        InvalidInput: it has no route or drug, or words left over.

    """
    field = f"administration {number}"
    row: dict[str, object] = {"id": str(number)}
    row.update(_extras(text, field))
    text = _RATE.sub(" ", _EXTRA.sub(" ", text))
    if _KEEP_OPEN.search(text):
        row["purpose"] = "keep_open"
        text = _KEEP_OPEN.sub(" ", text)
    if _HYDRATION.search(text):
        row.setdefault("purpose", "hydration")
        text = _HYDRATION.sub(" ", text)
    route = _ROUTE.search(text) or _IV.search(text)
    if route is None:
        right = f"iv push, iv infusion (iv alone does not tell the two apart), im, sc, ..., {_EXAMPLE}"
        raise InvalidInput(Fault(field, "names no route", right))
    row["route"] = _ROUTES.get(route[1].lower(), "iv_infusion")
    before, after = _CARRIER.sub(" ", text[: route.start()]), text[route.end() :]
    dose = _last(_DOSE.finditer(before)) or _DOSE.search(after)
    if dose is not None:
        if dose.string[: dose.start()].endswith("-"):
            raise InvalidInput(Fault(field, "has a negative dose", _EXAMPLE))
        row["dose"] = dose[0]
        before, after = before.replace(dose[0], " "), after.replace(dose[0], " ")
    drug = " ".join(before.split()).strip(" ,;:-")
    if not drug:
        raise InvalidInput(Fault(field, "names no drug before the route", _EXAMPLE))
    row["drug"] = drug
    after = _times(row, after)
    if after.strip(" ,;.-"):
        raise InvalidInput(Fault(field, "has words after the route that are not times", f"times, {_EXAMPLE}"))
    return row


def _times(row: dict[str, object], after: str) -> str:
    """Take start, stop or length out of what stands behind the route."""
    length = _LENGTH.search(after)
    if length is not None:
        per = 60 if length[2].lower().startswith("h") else 1
        row["minutes"] = round(float(length[1]) * per)
        after = after[: length.start()] + after[length.end() :]
    span = _SPAN.search(after)
    if span is not None:
        row["start"] = _clock(span[1])
        if span[2]:
            row["stop"] = _clock(span[2])
        after = after[: span.start()] + after[span.end() :]
    return after


def _clock(text: str) -> str:
    """``9:05``, ``0905``, ``9:05 am``, ``9am`` as ``09:05`` or ``09:00``; ``00:10+1`` stays the next day's."""
    match = _CLOCK.fullmatch(text if ":" in text or not text[:4].isdigit() else f"{text[:2]}:{text[2:]}")
    if match is None:
        return text
    hour, minute, half, day = match.groups()
    if half and not 1 <= int(hour) <= _NOON:
        return text
    if half:
        hour = str(int(hour) % _NOON + (_NOON if half.lower() == "p" else 0))
    return f"{hour.zfill(2)}:{minute or '00'}{day or ''}"


def _extras(text: str, field: str) -> dict[str, object]:
    extras: dict[str, object] = {}
    for name, value in _EXTRA.findall(text):
        if name not in _EXTRAS:
            raise InvalidInput(Fault(field, "gives a name=value that is not known", ", ".join(sorted(_EXTRAS))))
        plain = value.strip('"')
        target = _EXTRAS[name]
        boolean = Administration.model_fields[target].annotation == (bool | None)
        number = Administration.model_fields[target].annotation == (int | None) and plain.isdecimal()
        extras[target] = _YES_NO.get(plain.lower(), plain) if boolean else int(plain[:6]) if number else plain
    return extras


def _last(matches: Iterable[re.Match[str]]) -> re.Match[str] | None:
    found = None
    for found in matches:  # noqa: B007 - the last one is wanted
        pass
    return found


_BILLED = re.compile(
    r"([0-9A-Za-z]{5})(?:-([0-9A-Za-z]{2}(?:-[0-9A-Za-z]{2})*))?(?:\s*x\s*([0-9]{1,4}))?(?:\s+([^:]+?))?\s*((?::[\w.,-]+)*)"
)


def is_billed_line(text: str) -> bool:
    """Whether a text reads as a billed line rather than the name of a file."""
    return _BILLED.fullmatch(text.strip()) is not None and not _is_file(text)


def _is_file(name: str) -> bool:
    try:
        return Path(name).exists()
    except OSError:
        return False  # longer than the name of a file can be


def billed_line(text: str, number: int) -> dict[str, object]:
    """Read one billed line: ``96376``, ``96375-59x2``, ``96375 Benadryl:denied:CO-97``.

    Raises:
        InvalidInput: it is not of that form.

    """
    match = _BILLED.fullmatch(text.strip())
    if match is None:
        right = "CODE[-MOD][xUNITS] [DRUG][:denied][:REASON,...], such as 96375 Benadryl:denied:CO-97,N20"
        raise InvalidInput(Fault(f"billed line {number}", "is not a billed line", right))
    row: dict[str, object] = {"code": match[1].upper()}
    if match[2]:
        row["modifiers"] = match[2].upper().split("-")
    if match[3]:
        row["units"] = int(match[3])
    if match[4]:
        row["drug"] = match[4]
    marks = [mark for mark in re.split("[:,]", match[5]) if mark]
    row["denied"] = "denied" in marks or len(marks) > 0
    reasons = [mark.upper() for mark in marks if mark != "denied"]
    row["carc"] = [mark for mark in reasons if not re.fullmatch(r"(N|M|MA)[0-9]+", mark)]
    row["rarc"] = [mark for mark in reasons if re.fullmatch(r"(N|M|MA)[0-9]+", mark)]
    return row
