"""Step 4: what do payers' edits do to those lines?

``claim`` puts code numbers to the roles and holds what the rulebook says against the claim; ``data`` holds the final
lines against dated tables of payers' edits, once.
"""

from __future__ import annotations

from ivcoder.edits.claim import (
    Edited,
    Line,
    add_on_needs_primary,
    drug_code_mismatch,
    edit,
    em_minimal_visit,
    em_significant_separate,
    hierarchy_notice,
    included_services,
    inpatient_claim,
    newest_rulebook,
    other_use,
    professional_claim_in_facility,
    separate_access_modifier,
    separate_encounter_modifier,
)
from ivcoder.edits.data import Checked, Cited, checked, consulted

__all__ = [
    "Checked",
    "Cited",
    "Edited",
    "Line",
    "add_on_needs_primary",
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
    "professional_claim_in_facility",
    "separate_access_modifier",
    "separate_encounter_modifier",
]
