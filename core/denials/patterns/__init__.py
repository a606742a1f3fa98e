"""The patterns of denial: each a rule that looks at one billed line of a case."""
