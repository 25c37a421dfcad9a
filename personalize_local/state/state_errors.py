"""Say what is wrong with a state directory."""

from typing import Final

REMEDY: Final = "restore it from a copy, or take another directory"


class StateError(Exception):
    """A state directory that cannot be used; the message says in one sentence why and what to do."""
