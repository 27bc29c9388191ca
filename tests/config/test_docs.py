"""Documents that tests keep honest."""

import re
import tomllib
from pathlib import Path

from config.version import version_read

ROOT = Path(__file__).resolve().parents[2]
READ_IN = [*(ROOT / "config").glob("*.py"), *(ROOT / "portal").rglob("*.py"), *(ROOT / "tenancy").rglob("*.py")]
NAME = re.compile(r"\"(TENANTRY_[A-Z_]+|DATABASE_URL|CELERY_BROKER_URL)\"")
DOCUMENTED = re.compile(r"^\| `([A-Z_<>]+)`", re.MULTILINE)


def settings_read() -> set[str]:
    return {name for path in READ_IN for name in NAME.findall(path.read_text(encoding="utf-8"))}


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    documented = set(DOCUMENTED.findall((ROOT / "docs" / "operate.md").read_text(encoding="utf-8")))
    providers = {name for name in documented if "<NAME>" in name}
    assert settings_read() - documented == set()
    assert documented - providers - settings_read() == set()
    assert {name.rsplit("<NAME>_")[1] for name in providers} == {"SERVER_URL", "CLIENT_ID", "CLIENT_SECRET", "NAME"}


def test_every_link_inside_the_documents_leads_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    links = [
        (path, target)
        for path in documents
        for target in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8"))
        if "://" not in target
    ]
    assert links
    assert [f"{path.name}: {target}" for path, target in links if not (path.parent / target).exists()] == []


def test_every_dependency_has_its_reason() -> None:
    """The line above a dependency is a comment, and the comment is a sentence."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lines = [line.strip() for line in text.splitlines()]
    reason = ""
    explained = set()
    for line in lines:
        if line.startswith("#"):
            reason = line
        elif line.startswith('"') and line.rstrip(",").strip('"') in wanted and reason.endswith("."):
            explained.add(line.rstrip(",").strip('"'))
        elif not line.startswith('"'):
            reason = ""
    assert set(wanted) - explained == set()


def test_the_lock_files_hold_hashes_and_no_address() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        if path.name != "licences.txt":
            pins = re.findall(r"^[a-z0-9][\w.\-]*==[^\n]*\\\n    --hash=sha256:", text, re.MULTILINE)
            assert len(pins) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE))


def test_the_version_is_the_top_heading_of_the_changelog() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", version_read(ROOT / "CHANGELOG.md"))
