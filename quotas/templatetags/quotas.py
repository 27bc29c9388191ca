"""Amounts of the catalog in templates."""

from __future__ import annotations

from django import template

from quotas.catalog import Resource, amount_format, amount_name, amount_say

register = template.Library()


@register.filter
def say(amount: int | None, resource: Resource) -> str:
    """ "1,024 GiB", "no limit"; None is "unknown": `{{ grant.amount|say:grant.catalog }}`."""
    return "unknown" if amount is None else amount_say(resource, amount)


@register.filter
def written(amount: int | None, resource: Resource) -> str:
    """Without the unit: "1,024"."""
    return "unknown" if amount is None else amount_format(resource, amount)


@register.filter
def name(amount: int, resource: Resource) -> str:
    """With what it is of: "16 GiB memory"."""
    return amount_name(resource, amount)
