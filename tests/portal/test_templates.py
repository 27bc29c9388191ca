"""All templates: they compile, hold no script or style of their own (the policy would block it), and are shown."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

ROOT = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.html"))
# templates/reports/ is Jinja, in its sandbox: reporting tries those.
OF_DJANGO = [name for name in TEMPLATES if not name.startswith("reports/")]
PARTS = [name for name in TEMPLATES if name.startswith("parts/")]
NOT_IN_THE_STYLEGUIDE = {"parts/nav.html", "parts/person_menu.html"}  # need somebody who is signed in


@pytest.mark.parametrize("name", OF_DJANGO)
def test_a_template_compiles(name: str) -> None:
    get_template(name)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_keeps_to_the_content_security_policy(name: str) -> None:
    source = (ROOT / name).read_text()
    assert not re.search(r"\sstyle\s*=|<style|\son\w+\s*=\s*[\"']|javascript:|hx-on", source)
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", source)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_form_that_posts_has_its_token(name: str) -> None:
    source = (ROOT / name).read_text()
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", source, re.DOTALL | re.IGNORECASE):
        assert "{% csrf_token %}" in form or name == "portal/styleguide.html"


@pytest.mark.parametrize("name", PARTS)
def test_a_part_says_what_it_is_given(name: str) -> None:
    assert (ROOT / name).read_text().startswith("{# ")


def test_the_styleguide_shows_every_part() -> None:
    def included(name: str) -> set[str]:
        source = (ROOT / name).read_text()
        found = set(re.findall(r"parts/\w+\.html", source)) - {name}
        return found.union(*(included(each) for each in found)) if found else set()

    tags = {"parts/field.html", "parts/topbar.html", "parts/field_help.html"}
    shown = included("portal/styleguide.html") | included("base.html") | tags
    assert set(PARTS) - shown == NOT_IN_THE_STYLEGUIDE
