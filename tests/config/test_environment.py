from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment


@pytest.mark.parametrize(("value", "meaning"), [("1", True), (" Yes ", True), ("off", False)])
def test_a_boolean_is_read_from_the_usual_words(monkeypatch: pytest.MonkeyPatch, value: str, meaning: bool) -> None:
    monkeypatch.setenv("X", value)
    assert environment.boolean("X", default=not meaning) is meaning


@pytest.mark.parametrize("value", [None, "", " "], ids=["not set", "empty", "blank"])
def test_what_is_not_set_or_empty_is_the_default(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("X", raising=False)
    if value is not None:
        monkeypatch.setenv("X", value)
    assert environment.text("X", "x") == "x"
    assert environment.boolean("X", default=True) is True
    assert environment.integer("X", 7) == 7
    assert environment.secret("X") is None
    assert environment.words("X", "a, ,b") == ["a", "b"]


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (environment.boolean, "maybe"),
        (lambda name: environment.integer(name, 1), "ten"),
        (lambda name: environment.integer(name, 1, least=1), "0"),
    ],
)
def test_nonsense_is_refused_with_the_name_of_the_variable(
    monkeypatch: pytest.MonkeyPatch, read: object, value: str
) -> None:
    monkeypatch.setenv("TENANTRY_X", value)
    with pytest.raises(ImproperlyConfigured, match="TENANTRY_X"):
        read("TENANTRY_X")  # type: ignore[operator]


def test_a_secret_comes_from_a_file_without_its_line_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    monkeypatch.setenv("X_FILE", str(tmp_path / "secret"))
    assert environment.secret("X") == "s3cret"


@pytest.mark.parametrize("content", [None, "", "\n", b"\xff\xfe"], ids=["missing", "empty", "blank", "not text"])
def test_a_secret_file_without_a_secret_is_never_no_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | bytes | None
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.setenv("X_FILE", str(path))
    with pytest.raises(ImproperlyConfigured, match="X_FILE"):
        environment.secret("X")


def test_a_secret_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("X", "a")
    monkeypatch.setenv("X_FILE", str(tmp_path / "b"))
    with pytest.raises(ImproperlyConfigured, match="Both X and X_FILE"):
        environment.secret("X")
