"""Proof over a small world: every encounter of it answered, every invariant held on each, every answer frozen."""
