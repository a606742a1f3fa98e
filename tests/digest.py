"""Print one hash over the answers to every case: the same on any machine, Python or hash seed."""

import hashlib
import json
import sys

from casebook import AUDITS, DENIALS, ENCOUNTERS
from ivcoder import audit_claim, classify_administration, explain_denial, rank_services, select_push_codes


def digest():
    """Hash the bytes of every answer, in the order of the cases."""
    total = hashlib.sha256()
    for case in ENCOUNTERS:
        for ask in (classify_administration, rank_services, select_push_codes):
            total.update(ask(case.encounter).model_dump_json(by_alias=True).encode())
    for case in DENIALS:
        total.update(explain_denial(case.denial).model_dump_json(by_alias=True).encode())
    for case in AUDITS:
        total.update(audit_claim(case.claim).model_dump_json(by_alias=True).encode())
    return total.hexdigest()


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"cases": len(ENCOUNTERS) + len(DENIALS) + len(AUDITS), "sha256": digest()}))
