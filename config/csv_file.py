"""Tables as CSV files that a spreadsheet can open without running what a cell holds."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from django.http import StreamingHttpResponse

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_response(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """`name`.csv, sent row by row; None is an empty cell."""
    answer = StreamingHttpResponse(csv_lines(head, rows), content_type="text/csv; charset=utf-8")
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)  # a name may come from a cloud
    answer["Content-Disposition"] = f'attachment; filename="{plain}.csv"'
    return answer


def csv_lines(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield _line([_cell(value) for value in head])
    for row in rows:
        yield _line([_cell(value) for value in row])


def _cell(value: object) -> object:
    """Text that a spreadsheet would take for a formula is marked as text; numbers and times stay what they are.

    An object is the text that it becomes in the file.
    """
    if value is None or isinstance(value, (int, float, Decimal, date)):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: Sequence[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
