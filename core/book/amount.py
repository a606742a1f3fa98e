"""Amounts of a drug, as charts and the formulary write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from ivcoder.faults import Fault, InvalidInput

_LARGEST = 1_000_000_000
"""In the base unit: a thousand kilograms, far above any dose, and far below where decimals lose digits."""

_AMOUNT = re.compile(r"((?:[0-9]{1,3}(?:,[0-9]{3}){1,6}|[0-9]{1,9})(?:\.[0-9]{1,6})?)\s*(.+)")
_UNITS = {
    "kg": ("mg", Decimal(1_000_000)),
    "g": ("mg", Decimal(1000)),
    "gm": ("mg", Decimal(1000)),
    "gram": ("mg", Decimal(1000)),
    "grams": ("mg", Decimal(1000)),
    "mg": ("mg", Decimal(1)),
    "mcg": ("mg", Decimal("0.001")),
    "ug": ("mg", Decimal("0.001")),
    "\N{GREEK SMALL LETTER MU}g": ("mg", Decimal("0.001")),  # what casefold makes of the micro sign
    "ng": ("mg", Decimal("0.000001")),
    "l": ("mL", Decimal(1000)),
    "liter": ("mL", Decimal(1000)),
    "liters": ("mL", Decimal(1000)),
    "ml": ("mL", Decimal(1)),
    "cc": ("mL", Decimal(1)),
    "unit": ("units", Decimal(1)),
    "units": ("units", Decimal(1)),
    "iu": ("units", Decimal(1)),
    "million units": ("units", Decimal(1_000_000)),
    "million u": ("units", Decimal(1_000_000)),
    "u": ("units", Decimal(1)),
    "meq": ("mEq", Decimal(1)),
    "mmol": ("mmol", Decimal(1)),
    "mci": ("mCi", Decimal(1)),
}
_AS_WRITTEN = {"MU": "million units"}
"""Units that in other letters are others: mU is a thousandth of one."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of a drug in its base unit: mg, mL, units, mEq, mmol or mCi."""

    value: Decimal
    unit: str

    @classmethod
    def parse(cls, text: str) -> Amount:
        """Read ``125 mg``, ``1.5 g``, ``1,000 mL``, ``20 mEq``.

        Raises:
            InvalidInput: not a number and a unit we know, or more than can be given.

        """
        match = _AMOUNT.fullmatch(text.strip())
        written = match[2].strip() if match else ""
        unit = _UNITS.get(_AS_WRITTEN.get(written, written).casefold())
        if match is None or unit is None:
            raise InvalidInput(Fault("", "is not an amount with a unit", "a number and a unit, such as 125 mg"))
        value = Decimal(match[1].replace(",", "")) * unit[1]
        if value > _LARGEST:
            raise InvalidInput(Fault("", "is too large for an amount of a drug", f"at most {_LARGEST:,} {unit[0]}"))
        return cls(value, unit[0])
