"""Stub while the steps above settle."""

from ivcoder.encounter import Encounter


class Denial(Encounter):
    pass


def explain_denial(denial: Denial, drugs: object) -> None: ...
