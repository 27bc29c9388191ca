"""Pages of requests: the list and its decisions, one request, and the forms that ask."""

from onboarding.views.ask import project_ask, project_ask_summary, request_new, request_new_summary
from onboarding.views.detail import request_detail, request_progress
from onboarding.views.queue import request_list

__all__ = [
    "project_ask",
    "project_ask_summary",
    "request_detail",
    "request_list",
    "request_new",
    "request_new_summary",
    "request_progress",
]
