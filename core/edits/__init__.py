"""Step 4: what do payers' edits do to those lines?

``line`` puts code numbers, modifiers and dates to the roles; ``claim`` holds what the rulebook says against the claim,
and ``payers`` what one payer wants; ``data`` holds the final
lines against dated tables of payers' edits, once.
"""

from __future__ import annotations

from ivcoder.edits.claim import (
    Edited,
    add_on_needs_primary,
    barred_claim,
    drug_code_mismatch,
    edit,
    em_minimal_visit,
    em_significant_separate,
    hierarchy_notice,
    included_services,
    inpatient_claim,
    newest_rulebook,
    other_use,
)
from ivcoder.edits.data import Checked, Cited, checked, consulted
from ivcoder.edits.line import Line, separate_access_modifier, separate_encounter_modifier

__all__ = [
    "Checked",
    "Cited",
    "Edited",
    "Line",
    "add_on_needs_primary",
    "barred_claim",
    "checked",
    "consulted",
    "drug_code_mismatch",
    "edit",
    "em_minimal_visit",
    "em_significant_separate",
    "hierarchy_notice",
    "included_services",
    "inpatient_claim",
    "newest_rulebook",
    "other_use",
    "separate_access_modifier",
    "separate_encounter_modifier",
]
