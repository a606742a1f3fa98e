"""The rows of the tables: what a fact of the rulebook holds. Unknown fields are refused when they are read."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal, NamedTuple


class Category(StrEnum):
    """What a drug counts as when it is administered."""

    CHEMOTHERAPY = "chemotherapy"
    THERAPEUTIC = "therapeutic"
    HYDRATION = "hydration"


class Confidence(StrEnum):
    """How firmly a fact or a rule stands in its sources."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


RouteName = Literal[
    "iv_push",
    "iv_infusion",
    "iv_pump",
    "im",
    "sc",
    "sc_infusion",
    "intradermal",
    "intra_arterial_push",
    "intra_arterial_infusion",
    "intra_arterial_pump",
    "intrathecal",
    "csf_reservoir",
    "intrapleural",
    "intraperitoneal",
    "intralesional",
    "on_body_injector",
    "portable_pump_refill",
    "implanted_pump_refill",
    "epidural",
    "nerve_block",
    "intra_articular",
    "intravesical",
    "intravitreal",
    "endotracheal",
    "oral",
    "sublingual",
    "rectal",
    "nasal",
    "inhaled",
    "topical",
]
"""The routes of an encounter by name, for what a label forbids."""


class Source(NamedTuple):
    """Where a fact or a rule stands."""

    id: str
    title: str
    publisher: str
    kind: Literal["policy", "contractor", "payer", "codeset", "remittance", "convention", "page"]
    says: str
    seen: date | None = None
    url: str | None = None


class Code(NamedTuple):
    """The code number of one role, and the codes it must stand beside; some do for professional claims only."""

    role: str
    code: str
    answer: Literal["initial", "add_on", "stand_alone"]
    short: str
    sources: tuple[str, ...]
    beside: tuple[str, ...] = ()
    beside_professional: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    def primaries(self, *, professional: bool) -> tuple[str, ...]:
        """The codes one of which must be on the claim."""
        return (*self.beside_professional, *self.beside) if professional else self.beside


class Reported(NamedTuple):
    """What kind of service the code of a role reports; ``hour`` is a further hour of it."""

    role: str
    kind: str
    category: Category
    sources: tuple[str, ...]
    hour: bool = False


class Threshold(NamedTuple):
    """A number a rule compares with."""

    name: str
    value: int
    means: str
    sources: tuple[str, ...]
    since: date | None = None
    until: date | None = None


class Tier(NamedTuple):
    """One step of the facility hierarchy; rank 1 is the highest."""

    rank: int
    kind: str
    category: Category
    says: str


class Place(NamedTuple):
    """A place of service and what it means for drug administration."""

    code: str
    name: str
    sources: tuple[str, ...]
    claim: Literal["facility", "professional"] | None = None
    usual: bool = False
    outpatient_hospital: bool = False
    facility_reports: bool = False
    inpatient: bool = False
    practitioner_edits: bool = False
    note: str | None = None

    @property
    def spoken(self) -> str:
        """The place with its number."""
        return f"place of service {self.code} ({self.name})"


class Payer(NamedTuple):
    """A payer we know something about, by every name it goes by."""

    id: str
    name: str
    sources: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    note: str | None = None


DifferenceKind = Literal[
    "category",
    "wastage",
    "no_s_codes",
    "packaged",
    "most_units",
    "separate_modifier",
    "facility",
    "place_payment",
    "provider_pump",
    "department_marks",
    "drug_marks",
]
"""In what a payer can differ from the rulebook as it stands; each kind is used by one rule."""


class Difference(NamedTuple):
    """One thing in which a payer differs, on its dates of service."""

    payer: str
    kind: DifferenceKind
    says: str
    sources: tuple[str, ...]
    nature: Literal["policy", "convention"]
    confidence: Confidence
    codes: tuple[str, ...] = ()
    category: Category | None = None
    roles: tuple[str, ...] = ()
    most: int | None = None
    places: tuple[str, ...] = ()
    not_at: tuple[str, ...] = ()
    bars: bool = False
    modifier: str | None = None
    form: Literal["CMS-1500 (837P)", "UB-04 (837I)"] | None = None
    since: date | None = None
    until: date | None = None


class Billing(NamedTuple):
    """A drug's own HCPCS code, the amount one unit stands for, and its dates of service."""

    code: str
    per: str
    since: date | None = None
    until: date | None = None


class Drug(NamedTuple):
    """A row of the formulary; ``uncoded`` says why its units cannot be counted, where it has no code here."""

    name: str
    group: str
    sources: tuple[str, ...]
    confidence: Confidence
    brands: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    category: Category | None = None
    depends_on: Literal["purpose"] | None = None
    agent: (
        Literal[
            "cytotoxic",
            "hormonal",
            "antineoplastic_antibody",
            "antibody_conjugate",
            "other_antineoplastic",
            "complex_biologic",
        ]
        | None
    ) = None
    disputed: str | None = None
    disputed_sources: tuple[str, ...] = ()
    elsewhere: Literal["vaccine", "contrast", "blood", "flush", "procedure"] | None = None
    local_anesthetic: bool = False
    complex_by: tuple[RouteName, ...] = ()
    other_codes: tuple[str, ...] = ()
    other_use: str | None = None
    other_use_sources: tuple[str, ...] = ()
    not_by: tuple[RouteName, ...] = ()
    by: tuple[RouteName, ...] = ()
    form_of: tuple[str, ...] = ()
    by_push: bool = False
    rsv: bool = False
    container: Literal["single_dose", "multi_dose", "either"] | None = None
    hcpcs: tuple[Billing, ...] = ()
    note: str | None = None
    uncoded: str | None = None
    own_category: bool = False

    @property
    def spoken(self) -> str:
        """The name a reader knows it by: the first brand with the generic, or the generic alone."""
        return f"{self.brands[0]} ({self.name})" if self.brands else self.name

    def is_for(self, route: str) -> bool:
        """Whether the row's code holds for a drug given by ``route``: any route, unless the row names them.

        A code for what is infused into a vein holds for what is pushed, too.
        """
        return not self.by or ("iv_infusion" if route in ("iv_push", "iv_pump") else route) in self.by

    def billing_on(self, day: date | None) -> tuple[Billing, ...]:
        """The HCPCS codes in force on ``day``; the newest when no date is given."""
        return tuple(row for row in self.hcpcs if in_force(row, day))


class Included(NamedTuple):
    """A service that is part of a drug administration and not reported beside it."""

    code: str
    short: str
    sources: tuple[str, ...]


class CodeRange(NamedTuple):
    """Codes that are one kind of service, from the first to the last."""

    first: str
    last: str
    sources: tuple[str, ...]

    def holds(self, code: str) -> bool:
        """Whether a code is among them."""
        return self.first <= code <= self.last


class Outside(NamedTuple):
    """The codes of a route that is reported outside drug administration, from the first to the last."""

    first: str
    last: str
    route: RouteName
    sources: tuple[str, ...]

    @property
    def spoken(self) -> str:
        """The codes in words."""
        return self.first if self.first == self.last else f"{self.first} to {self.last}"


class MinimalVisit(NamedTuple):
    """A minimal visit that is never reported beside a drug administration."""

    code: str
    sources: tuple[str, ...]


class Modifier(NamedTuple):
    """A modifier by the name of what it says."""

    name: str
    code: str
    sources: tuple[str, ...]
    since: date | None = None
    until: date | None = None


class Adjustment(NamedTuple):
    """A claim adjustment reason (CARC) or remark (RARC) code in our words."""

    code: str
    kind: Literal["carc", "rarc"]
    says: str
    sources: tuple[str, ...]


class Hint(NamedTuple):
    """Reason and remark codes that point at a kind of denial."""

    pattern: str
    codes: tuple[str, ...]
    sources: tuple[str, ...]


class Pair(NamedTuple):
    """Procedure-to-procedure edits: each code of column one with each of column two."""

    column_one: tuple[str, ...]
    column_two: tuple[str, ...]
    indicator: Literal[0, 1, 9]
    audience: Literal["practitioner", "outpatient_hospital", "both"]
    sources: tuple[str, ...]
    confidence: Confidence = Confidence.HIGH
    since: date | None = None
    until: date | None = None

    @property
    def spoken(self) -> str:
        """The row in words."""
        return f"the rulebook's own row, of {self.confidence} confidence"


class UnitLimit(NamedTuple):
    """The most units of a code a payer expects on one date, of each of the codes, and how it is held (MAI 1 to 3)."""

    codes: tuple[str, ...]
    units: int
    audience: Literal["practitioner", "outpatient_hospital", "both"]
    sources: tuple[str, ...]
    indicator: Literal[1, 2, 3] | None = None
    confidence: Confidence = Confidence.HIGH
    since: date | None = None
    until: date | None = None

    @property
    def spoken(self) -> str:
        """The row in words."""
        return f"the rulebook's own row, of {self.confidence} confidence"


When = Literal[
    "every",
    "timed",
    "moment",
    "repeat_push",
    "slow_push",
    "second_access",
    "fluid",
    "single_dose",
    "repeat_infusion",
    "disputed",
    "unknown_product",
    "professional",
]
"""Which administration lines need an element of the record.

``timed``: what runs over time; ``moment``: pushes and injections; ``slow_push``: charted as a push, but longer than
one; ``single_dose``: where the payer asks what was discarded; ``disputed``: a drug payers disagree on.
"""


class Element(NamedTuple):
    """What a record must show for a line, and the field of an encounter that shows it, if there is one."""

    id: str
    short: str
    when: When
    sources: tuple[str, ...]
    confidence: Confidence
    field: str | None = None


class Sources(NamedTuple):
    """The table of sources."""

    source: tuple[Source, ...]


class Drugs(NamedTuple):
    """The table of drugs."""

    drug: tuple[Drug, ...]


class Tables(NamedTuple):
    """Every other table of the rulebook."""

    code: tuple[Code, ...]
    threshold: tuple[Threshold, ...]
    tier: tuple[Tier, ...]
    place: tuple[Place, ...]
    payer: tuple[Payer, ...]
    difference: tuple[Difference, ...]
    included: tuple[Included, ...]
    visit: tuple[CodeRange, ...]
    surgery: tuple[CodeRange, ...]
    minimal_visit: tuple[MinimalVisit, ...]
    modifier: tuple[Modifier, ...]
    adjustment: tuple[Adjustment, ...]
    hint: tuple[Hint, ...]
    service: tuple[Reported, ...]
    outside: tuple[Outside, ...]
    family: tuple[CodeRange, ...]
    pair: tuple[Pair, ...]
    mue: tuple[UnitLimit, ...]
    element: tuple[Element, ...]


def in_force(row: Code | Threshold | Modifier | Billing | Difference | Pair | UnitLimit, day: date | None) -> bool:
    """Whether a dated row holds on ``day``; without a date, whether it still holds in the newest edition."""
    if day is None:
        return row.until is None
    return (row.since is None or row.since <= day) and (row.until is None or day <= row.until)
