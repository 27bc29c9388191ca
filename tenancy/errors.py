"""What goes wrong here, apart from the clouds.

::

    RuleError        a rule of ours says no; shown to the person as it is
    ├── NotAllowed   this person may not do this
    └── Stale        what was decided on has changed meanwhile
    LeaseLost        another worker took over; ours stops without a trace
"""

from __future__ import annotations


class RuleError(Exception):
    """``message`` says what is refused and which limit or rule did it; ``remedy`` what to do next."""

    retry = False

    def __init__(self, message: str, *, remedy: str = "", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.field = field


class NotAllowed(RuleError):
    """The person has not the right; the page answers 403 (404 if they may not even see the object)."""


class Stale(RuleError):
    """Approved or edited on the basis of something that has changed since."""


class LeaseLost(Exception):
    """The lease ran out or was taken over. A retry by whoever holds it now is what happens next."""

    retry = True
