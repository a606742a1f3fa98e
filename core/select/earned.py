"""What selecting gives back: roles with units, refusals, remarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from ivcoder.book import Category
from ivcoder.classify import Kind, Question, Service
from ivcoder.rank import Ranked, Standing
from ivcoder.rule import Finding

CHEMO = Category.CHEMOTHERAPY


class Earned(NamedTuple):
    """A role with its units, the administrations behind it and the findings that earned it.

    ``lost`` are the roles that came closest, each with the finding that ruled it out; ``code`` is a drug line's own.
    """

    role: str
    units: int
    administrations: tuple[str, ...]
    findings: tuple[Finding, ...]
    access: str = ""
    modifiers: tuple[str, ...] = ()
    lost: tuple[tuple[str, Finding], ...] = ()
    code: str | None = None


class Refused(NamedTuple):
    """Administrations that earn no line, and why."""

    administrations: tuple[str, ...]
    findings: tuple[Finding, ...]


class Remark(NamedTuple):
    """Something to say beside the lines: info, warning or error."""

    level: Literal["info", "warning", "error"]
    findings: tuple[Finding, ...]
    administrations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asides:
    """Where the step notes the questions and remarks that come up on its way."""

    questions: list[Question]
    remarks: list[Remark]

    def warn(self, finding: Finding, service: Service) -> None:
        """Note a warning beside a service."""
        self.remarks.append(Remark("warning", (finding,), service.administrations))


@dataclass(frozen=True, slots=True)
class Selected:
    """The outcome of the step."""

    ranked: Ranked
    earned: tuple[Earned, ...]
    drug_lines: tuple[Earned, ...]
    refused: tuple[Refused, ...]
    remarks: tuple[Remark, ...]
    questions: tuple[Question, ...]


INITIAL_ROLES = {
    (Kind.INFUSION, False): "infusion_initial",
    (Kind.INFUSION, True): "chemo_infusion_initial",
    (Kind.PUSH, False): "push_initial",
    (Kind.PUSH, True): "chemo_push_initial",
    (Kind.HYDRATION, False): "hydration_initial",
}


def lost_initial(standing: Standing) -> tuple[tuple[str, Finding], ...]:
    """The initial role a later service did not get, and the finding that says why."""
    service = standing.service
    return ((INITIAL_ROLES[service.kind, service.category is CHEMO], standing.findings[-1]),)


def moved(service: Service, start: int) -> dict[str, object]:
    """The facts that would put a service at another start."""
    return {"start": start, "stop": None if service.minutes is None else start + service.minutes}
