"""The explanation of every case, frozen: a change of a sentence shows."""

import pytest

from casebook import AUDITS, DENIALS, ENCOUNTERS
from ivcoder import audit_claim, explain_denial, select_push_codes
from markdown import audit_page, coding_page, denial_page


@pytest.mark.parametrize("case", ENCOUNTERS, ids=lambda case: case.id)
def test_encounter(case, frozen):
    assert frozen(coding_page(case, select_push_codes(case.encounter)), "encounters", case.id)


@pytest.mark.parametrize("case", DENIALS, ids=lambda case: case.id)
def test_denial(case, frozen):
    assert frozen(denial_page(case, explain_denial(case.denial)), "denials", case.id)


@pytest.mark.parametrize("case", AUDITS, ids=lambda case: case.id)
def test_audit(case, frozen):
    assert frozen(audit_page(case, audit_claim(case.claim)), "audits", case.id)
