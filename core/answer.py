"""What we say: the answers' models, which every face hands out unchanged."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

_BORDER = ConfigDict(
    frozen=True,
    extra="forbid",
    defer_build=True,
    serialize_by_alias=True,
    validate_by_name=True,
    validate_by_alias=True,
)

Status = Literal["coded", "needs_information", "nothing_to_report"]


class _Answer(BaseModel):
    model_config = _BORDER


class Table(_Answer):
    """A table of payers' edits: a file that was loaded, or a row of the rulebook."""

    kind: Literal["ptp", "mue", "add-on"] = Field(description="Pairs, unit limits, or add-ons and their primaries.")
    audience: Literal["practitioner", "outpatient_hospital", "both"] | None = None
    quarter: str | None = Field(default=None, description="The quarter of a loaded file, such as 2026Q1.")
    part: str | None = Field(default=None, description="Which of several files of the quarter.")
    sha256: str | None = Field(default=None, description="Hash of the loaded file as CMS publishes it.")
    sources: tuple[str, ...] = Field(default=(), description="The sources of a row of the rulebook.")
    confidence: Literal["high", "medium", "low"] | None = Field(default=None, description="How firmly that row stands.")


class Receipt(_Answer):
    """What the answer was made with, so that it can be replayed and defended."""

    ivcoder: str = Field(description="ivcoder's version.")
    rulebook: str = Field(description="The rulebook's edition.")
    rulebook_sha256: str = Field(description="Hash of the rulebook's tables, with your own drug table if any.")
    date_of_service: date | None = Field(description="The date it was read for; null is the newest rulebook.")
    input_sha256: str = Field(description="Hash of the input as it was understood.")
    tables: tuple[Table, ...] = Field((), description="The loaded tables of payers' edits that were consulted.")


class CodeUnits(_Answer):
    """A code with its units, in an outcome."""

    code: str
    units: int
    modifiers: tuple[str, ...] = ()


class Outcome(_Answer):
    """What the lines would be if a question were answered so."""

    if_: str = Field(alias="if", description="The answer to the question.")
    then: tuple[CodeUnits, ...] = Field(description="The lines it would give.")


class Question(_Answer):
    """A fact the record lacks that would change the lines."""

    administration: str | None = Field(description="The administration asked about; null for the encounter.")
    field: str = Field(description="The input field that answers it.")
    ask: str
    rules: tuple[str, ...] = Field(description="The rule that cannot be decided, or rests on a default, without it.")
    outcomes: tuple[Outcome, ...]


class TippingPoint(_Answer):
    """The smallest change of a fact that would change a code."""

    change: str
    then: tuple[CodeUnits, ...]


class Record(_Answer):
    """What a line's record must show, in the words of the book."""

    shown: tuple[str, ...]
    lacking: tuple[str, ...]
    not_in_input: tuple[str, ...] = Field(description="Must be in the chart, and this input has no field for it.")


class Gap(_Answer):
    """Something the record should show of an administration and does not."""

    administration: str
    element: str = Field(description="What is lacking.")
    field: str = Field(description="The input field that would show it.")
    at_stake: Literal["line", "code", "units", "modifier", "drug_line", "nothing"]
    why: str
    then: tuple[CodeUnits, ...] = Field(description="The administration lines it could come to.")
    sources: tuple[str, ...]


class Rival(_Answer):
    """A code that came close, and why it is not the one."""

    code: str
    why: str
    rules: tuple[str, ...]


class DatedUnits(_Answer):
    """Units of one date of service."""

    date: date
    units: int


class Line(_Answer):
    """A claim line."""

    code: str
    units: int
    modifiers: tuple[str, ...]
    dates: tuple[DatedUnits, ...] = Field((), description="The units of each date, in a stay over several.")
    role: Literal["initial", "add_on", "stand_alone", "drug"]
    administrations: tuple[str, ...] = Field(description="The administrations behind it.")
    why: str
    rules: tuple[str, ...] = Field(description="Rule ids; each can be looked up.")
    not_instead: tuple[Rival, ...] = Field((), description="Codes that came close, and why they lost.")
    record: Record | None = Field(None, description="What its record must show; null for a drug's own line.")


class NotReported(_Answer):
    """Administrations that earn no line."""

    administrations: tuple[str, ...]
    why: str
    rules: tuple[str, ...]


class Notice(_Answer):
    """Something to know or mend beside the lines."""

    level: Literal["info", "warning", "error"]
    line: int | None = Field(description="The line it is about, counted from 1; null for the whole claim.")
    why: str
    rules: tuple[str, ...]


class Edit(_Answer):
    """What a table of payers' edits does to the claim."""

    kind: Literal["pair", "units", "add_on"]
    codes: tuple[str, ...] = Field(
        description="Column one and column two of a pair; else one code; with no_data all that no table covers."
    )
    result: Literal[
        "bundled",
        "modifier_needed",
        "modifier_present",
        "not_bundled",
        "over",
        "within",
        "primary_missing",
        "primary_present",
        "contractor_decides",
        "no_data",
    ] = Field(description="no_data is never a pass.")
    why: str
    rules: tuple[str, ...]
    tables: tuple[Table, ...] = Field(description="Where the edit, or its absence, stands.")


class Coding(_Answer):
    """The administration and drug codes of an encounter, each with its reason."""

    status: Status = Field(description="needs_information when an open question can change a code.")
    lines: tuple[Line, ...]
    not_reported: tuple[NotReported, ...]
    questions: tuple[Question, ...]
    notices: tuple[Notice, ...]
    tipping_points: tuple[TippingPoint, ...]
    documentation: tuple[Gap, ...] = Field((), description="What the record lacks, the dearest first.")
    nurse_query: str | None = Field(None, description="Open questions to who gave it, ready to send; null when none.")
    edits: tuple[Edit, ...] = Field((), description="The lines and other services against payers' dated edits.")
    receipt: Receipt


class Service(_Answer):
    """What one administration, or one bag of mixed drugs, counts as."""

    administrations: tuple[str, ...]
    kind: str = Field(description="infusion, push, hydration, injection, ..., not_reportable or undecided.")
    category: Literal["chemotherapy", "therapeutic", "hydration"] | None
    minutes: int | None = Field(description="The minutes that count.")
    why: str
    rules: tuple[str, ...]


class Classification(_Answer):
    """What each administration counts as."""

    status: Status
    services: tuple[Service, ...]
    questions: tuple[Question, ...]
    receipt: Receipt


class RankedService(_Answer):
    """A reportable service in its rank."""

    rank: int = Field(description="From 1, the highest.")
    administrations: tuple[str, ...]
    kind: str
    category: Literal["chemotherapy", "therapeutic", "hydration"] | None
    tier: str = Field(description="Its tier of the hierarchy.")
    access: str = Field(description="The access it counts on.")
    initial: bool
    why: str
    rules: tuple[str, ...]


class Ranking(_Answer):
    """Which service is initial, and how the others follow."""

    status: Status
    method: Literal["hierarchy", "reason", "hierarchy_as_fallback", "only_candidate"] = Field(
        description="hierarchy on facility claims; on professional ones the reason for the visit, or the hierarchy "
        "as fallback where none is named or the named one cannot lead."
    )
    services: tuple[RankedService, ...]
    not_reported: tuple[NotReported, ...]
    questions: tuple[Question, ...]
    receipt: Receipt


class CorrectedLine(_Answer):
    """A line of the corrected claim, and what became of the billed one."""

    code: str
    units: int
    modifiers: tuple[str, ...]
    change: Literal["kept", "changed", "added"]
    was: str | None = Field(description="The billed code it replaces.")


class Reason(_Answer):
    """Why a line was denied, as far as it can be told."""

    line: int | None = Field(description="The billed line, counted from 1; null for the claim.")
    pattern: str = Field(description="The rule of the pattern that fits.")
    verdict: Literal["payer_right", "payer_wrong", "record_decides"]
    why: str
    rules: tuple[str, ...]


class DenialExplanation(_Answer):
    """Why billed lines were denied, whether the payer is right, and what to do now."""

    status: Literal["explained", "needs_information"]
    payer_says: tuple[str, ...] = Field(description="The claim's reason and remark codes in plain words.")
    verdict: Literal["payer_right", "payer_wrong", "record_decides", "cannot_tell"]
    reasons: tuple[Reason, ...]
    corrected_lines: tuple[CorrectedLine, ...]
    removed_lines: tuple[str, ...]
    document_next_time: tuple[str, ...]
    letter: str | None = Field(description="Text for a corrected claim or an appeal, resting on the input alone.")
    letter_kind: Literal["corrected_claim", "appeal", "none"]
    missing: tuple[str, ...] = Field(description="What would be needed to decide.")
    questions: tuple[Question, ...]
    edits: tuple[Edit, ...] = Field((), description="What the encounter supports, against payers' dated edits.")
    receipt: Receipt


class AuditFinding(_Answer):
    """A billed line the record does not support as billed, or a supported one that was not billed."""

    line: int | None = Field(description="The billed line, counted from 1; null for one that was missed.")
    code: str = Field(description="The billed code; of a missed line the supported one.")
    kind: Literal["unsupported", "wrong_code", "wrong_units", "missed", "wrong_modifier"]
    direction: Literal["over_coded", "under_coded", "neutral"] = Field(
        description="Whether more was billed than the record supports, or less, by tier of the hierarchy and units; "
        "neutral when it is neither, or cannot be said. No amount of money."
    )
    supported: tuple[int, ...] = Field(description="The supported lines it was held against, counted from 1.")
    why: str
    rules: tuple[str, ...] = Field(description="Rule ids; each can be looked up.")


class Matched(_Answer):
    """Units of a billed line that stand for units of a supported one."""

    line: int = Field(description="The billed line, counted from 1.")
    supported: int = Field(description="The supported line, counted from 1.")
    units: int = Field(description="The billed units.")


class NotAudited(_Answer):
    """A billed line that is called neither right nor wrong, and why."""

    line: int
    code: str
    why: str
    rules: tuple[str, ...]


class Audit(_Answer):
    """Billed lines held against what the encounter supports."""

    status: Literal["clean", "findings", "needs_information"] = Field(
        description="needs_information when an answer to an open question would make a billed line right, or one that "
        "is right as the record stands wrong; what is wrong whatever the answer stands among the findings all the same."
    )
    findings: tuple[AuditFinding, ...] = Field(description="What is wrong, the worst first.")
    undecided: tuple[AuditFinding, ...] = Field(
        description="What is wrong as the record stands, and would not be under another answer to an open question."
    )
    matched: tuple[Matched, ...]
    not_audited: tuple[NotAudited, ...]
    supported_lines: tuple[Line, ...] = Field(description="What the record supports, as it stands.")
    questions: tuple[Question, ...] = Field(description="The open questions whose answers would change the audit.")
    notices: tuple[Notice, ...] = Field(description="Notices; their line is the billed one.")
    edits: tuple[Edit, ...] = Field((), description="What the encounter supports, against payers' dated edits.")
    receipt: Receipt
