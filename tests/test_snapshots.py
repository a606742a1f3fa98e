"""The explanation of every case, frozen: a change of a sentence shows."""

import pytest

from casebook import DENIALS, ENCOUNTERS
from ivcoder import explain_denial, select_push_codes
from markdown import coding_page, denial_page


@pytest.mark.parametrize("case", ENCOUNTERS, ids=lambda case: case.id)
def test_encounter(case, frozen):
    assert frozen(coding_page(case, select_push_codes(case.encounter)), "encounters", case.id)


@pytest.mark.parametrize("case", DENIALS, ids=lambda case: case.id)
def test_denial(case, frozen):
    assert frozen(denial_page(case, explain_denial(case.denial)), "denials", case.id)
