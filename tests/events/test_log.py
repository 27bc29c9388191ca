"""A line of the log is written by Tenantry alone."""

import io
import logging

from django.conf import settings

from events.context import OneLineFilter, RequestIdFilter


def test_what_a_cloud_says_makes_no_line_of_its_own() -> None:
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["request", "one_line"]
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(RequestIdFilter())
    handler.addFilter(OneLineFilter())
    handler.setFormatter(logging.Formatter("{levelname} [{request_id}] {message}", style="{"))
    logger = logging.getLogger("tests.one_line")
    logger.propagate = False
    logger.addHandler(handler)
    logger.warning("refused: %s", "no\r\nERROR [-] all is lost\x1b[2J\u2028x")
    logger.warning("100 % plain")
    assert out.getvalue() == (
        "WARNING [-] refused: no\\r\\nERROR [-] all is lost\\x1b[2J\\x2028x\nWARNING [-] 100 % plain\n"
    )
