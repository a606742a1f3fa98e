"""Which rules are asked, and what they answer."""

from contextlib import contextmanager

import pytest

from ivcoder.rule import Rule


@contextmanager
def noting():
    """Every (rule, outcome) that comes up while the block runs."""
    found = set()
    ask = Rule.__call__

    def noted(rule, *args, **kwargs):
        finding = ask(rule, *args, **kwargs)
        found.add((finding.rule, finding.outcome))
        return finding

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "__call__", noted)
        yield found
