"""What can go wrong in reporting.

ReportingError
 ├── LedgerError         a delivery that cannot be stored as it is; nothing of it was stored; a retry does not help
 ├── AlreadyCollecting   another worker collects this cloud just now; a retry helps
 ├── LeaseLost           our claim on a cloud's collection ran out and another worker has it; a retry helps
 └── TemplateFault       a report template that cannot be used; a retry does not help
"""

from __future__ import annotations


class ReportingError(Exception):
    """`message` is one plain sentence, `remedy` what a person should do, `retry` whether the call may succeed later."""

    retry = False
    remedy = ""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        if remedy:
            self.remedy = remedy


class LedgerError(ReportingError):
    remedy = "The connector delivered something impossible: report it to its author with this sentence."


class AlreadyCollecting(ReportingError):
    retry = True
    remedy = "Wait until the other worker is done, or until its claim runs out."


class LeaseLost(ReportingError):
    retry = True
    remedy = "Nothing to do: the other worker goes on from the last complete mark."


class TemplateFault(ReportingError):
    """`template` and `line` (None: not known) tell where; `message` is what is wrong there."""

    remedy = "Mend the template, or remove it from the site's own folder to use the one that comes with Tenantry."

    def __init__(self, message: str, *, template: str, line: int | None) -> None:
        super().__init__(message)
        self.template = template
        self.line = line

    @property
    def place(self) -> str:
        return f"{self.template}, line {self.line}" if self.line else self.template
