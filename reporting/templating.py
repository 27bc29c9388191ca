"""Report templates: Jinja2 in its sandbox, from the site's own folder first.

A template gets plain frozen data and can reach nothing else. What goes wrong inside one becomes a TemplateFault with
the line, so that its author can mend it.
"""

from __future__ import annotations

import traceback
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound
from jinja2.exceptions import TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reporting.errors import TemplateFault
from reporting.quantities import figure

OURS = Path(settings.BASE_DIR) / "templates" / "reports"

# What an expression of a template may raise: faults of the template, not of ours.
_FAULTS = (TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def render(name: str, **values: Any) -> SafeString:
    """The template ``name`` with these values; what they hold is escaped. Raises TemplateFault."""
    try:
        # The markup is that of a template on the site's own disk, and autoescape is on: the rest is escaped text.
        return mark_safe(_environment().get_template(name).render(**values))  # noqa: S308
    except TemplateNotFound as error:
        raise TemplateFault(f"There is no template “{error.name}”.", template=name, line=None) from error
    except TemplateSyntaxError as error:
        message = error.message or "It cannot be read."
        raise TemplateFault(message, template=error.name or name, line=error.lineno) from error
    except UnicodeDecodeError as error:
        raise TemplateFault("It is not UTF-8 text.", template=name, line=None) from error
    except _FAULTS as error:
        raise TemplateFault(_sentence(error), template=name, line=_line(error)) from error


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=_loader(), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["figure"] = _figure
    environment.filters["moment"] = _moment
    return environment


def _loader() -> BaseLoader:
    folders = [Path(settings.REPORT_TEMPLATES), OURS] if settings.REPORT_TEMPLATES else [OURS]
    return ChoiceLoader([FileSystemLoader(folder) for folder in folders])


def _figure(value: Decimal | int | None) -> str:
    """1,204.5; None is "unknown"."""
    return "unknown" if value is None else figure(Decimal(value))


def _moment(value: datetime | None) -> str:
    """2026-11-20 12:00 UTC; None is "unknown"."""
    return "unknown" if value is None else f"{value:%Y-%m-%d %H:%M} UTC"


def _sentence(error: Exception) -> str:
    text = str(error).strip() or "It failed"
    return f"{type(error).__name__}: {text}"


def _line(error: BaseException) -> int | None:
    """The deepest line of a template in the traceback; Jinja2 writes its templates' lines into it."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename.endswith(".html")]
    return lines[-1] if lines else None
