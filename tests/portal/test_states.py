"""Every state of every model has a shape, and a state nobody listed is grey."""

from django.apps import apps
from django.db.models import TextChoices

from portal.states import ICONS, KINDS, badge

OURS = ("events", "tenancy", "quotas", "reporting", "onboarding", "monitoring")
NAMES = ("State", "Wanted", "Mode", "HoldChoice", "DriftKind")
"""Choices that say how something stands; the others (roles, purposes, kinds of change) are shown as words."""


def _choices() -> list[type[TextChoices]]:
    models = [model for label in OURS for model in apps.get_app_config(label).get_models()]
    found = [getattr(model, name) for model in models for name in NAMES if hasattr(model, name)]
    return [each for each in found if issubclass(each, TextChoices)]


def test_the_states_of_all_applications_are_found() -> None:
    names = {each.__qualname__ for each in _choices()}
    assert {"Step.State", "Condition.State", "Request.State", "PlanLine.HoldChoice", "CollectionRun.State"} <= names


def test_every_state_has_a_kind() -> None:
    missing = [f"{each.__qualname__}: {value}" for each in _choices() for value in each.values if value not in KINDS]
    assert missing == []


def test_every_field_called_state_is_among_them() -> None:
    for label in OURS:
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.get_fields():
                if field.name in ("state", "mode", "hold") and getattr(field, "choices", None):
                    values = [value for value, _ in field.choices if value]
                    assert set(values) <= set(KINDS), f"{model.__name__}.{field.name}"


def test_no_kind_is_without_its_icon() -> None:
    assert set(KINDS.values()) <= set(ICONS)


def test_what_nobody_listed_is_grey_and_says_its_own_word() -> None:
    assert badge("half-open").kind == "none"
    assert badge("half-open").text == "half open"
    assert badge(None).kind == "none"
