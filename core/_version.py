"""The one place where ivcoder's version stands."""

__version__ = "0.1.0"
