"""Files for spreadsheets hold nothing that a spreadsheet would run."""

from decimal import Decimal

from config.csv_file import csv_lines, csv_response


class Named:
    def __str__(self) -> str:
        return "=cmd|'/c calc'!A1"


def test_names_are_text_in_cells_and_heads_whatever_carries_them() -> None:
    head, row = csv_lines(["@title"], [["+1", Named(), -1, Decimal("-2.5"), None]])
    assert head == "'@title\r\n"
    assert row == "'+1,'=cmd|'/c calc'!A1,-1,-2.5,\r\n"


def test_a_file_is_named_plainly_whatever_a_cloud_calls_its_things() -> None:
    answer = csv_response('a"; x=\r\nSet-Cookie: b', [], [])
    assert answer["Content-Disposition"] == 'attachment; filename="a___x___Set-Cookie__b.csv"'
