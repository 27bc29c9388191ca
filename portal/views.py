"""Pages composed from several apps."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from config import clock
from portal.styleguide import samples
from tenancy import access


@login_not_required
@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every part of the pages with sample data: for operators, and for everybody in the demo."""
    if not (settings.DEMO or access.is_operator(request.user)):
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        raise PermissionDenied("The styleguide is for operators.")
    return render(request, "portal/styleguide.html", samples(clock.now()))
