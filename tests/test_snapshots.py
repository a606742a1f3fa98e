"""The explanation of every case, frozen: a change of a sentence shows."""

import pytest

from casebook import ENCOUNTERS
from ivcoder import select_push_codes
from markdown import page


@pytest.mark.parametrize("case", ENCOUNTERS, ids=lambda case: case.id)
def test_explanation(case, frozen):
    assert frozen(page(case, select_push_codes(case.encounter)), "encounters", case.id)
