"""The version is the top heading of CHANGELOG.md, so that the two cannot disagree."""

import re
from pathlib import Path

_HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\]", re.MULTILINE)


def version_read(changelog: Path) -> str:
    """Raises ValueError when the file has no heading of the form `## [1.2.3]`."""
    match = _HEADING.search(changelog.read_text(encoding="utf-8"))
    if match is None:
        raise ValueError(f"{changelog} has no version heading")
    return match["version"]


VERSION = version_read(Path(__file__).resolve().parent.parent / "CHANGELOG.md")
