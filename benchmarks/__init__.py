"""Speed beside its floor, as ratios. Never part of the tests: machines differ."""
