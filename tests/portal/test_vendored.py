"""Files of others are exactly the ones we wrote down, with their licence beside them."""

import hashlib
import re
from pathlib import Path

import pytest
from django.conf import settings

FOLDERS = {
    Path(settings.BASE_DIR) / "static" / "vendor": "VENDORED.md",
    Path(settings.BASE_DIR) / "tests" / "vendor": "README.md",
}


def rows(folder: Path, list_name: str) -> dict[str, tuple[str, str]]:
    """File name -> (licence cell, sha256) of the table."""
    found = {}
    for line in (folder / list_name).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch("[0-9a-f]{64}", cells[-1]):
            found[cells[0]] = (next(cell for cell in cells if "LICENSE" in cell), cells[-1])
    return found


@pytest.mark.parametrize(("folder", "list_name"), FOLDERS.items(), ids=lambda each: str(each)[-20:])
def test_vendored_files_are_the_ones_written_down(folder: Path, list_name: str) -> None:
    listed = rows(folder, list_name)
    assert listed
    files = {path.name for path in folder.iterdir() if "LICENSE" not in path.name} - {list_name}
    assert files == set(listed)
    for name, (licence, digest) in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
        for file in re.findall(r"[\w.-]+\.LICENSE[\w.-]*", licence):
            assert (folder / file.rstrip(",")).is_file(), file
