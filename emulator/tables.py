"""Rows that differ from the seed: tables with indexes, an undo log, and memory of what was changed.

A row is never altered in place; it is replaced. So an undo step is the old row, a late write can be taken back and done
again, and the state file holds only rows that the seed would not give.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

Row = dict[str, Any]
Undo = Callable[[], None]


class ChangeLog:
    """Counts changes (`version`) and, while somebody needs it, keeps how to take each one back."""

    def __init__(self) -> None:
        self.version = 0
        self._undo: list[Undo] = []
        self._keepers = 0

    def record(self, undo: Undo) -> None:
        self.version += 1
        if self._keepers:
            self._undo.append(undo)

    def keep(self) -> int:
        """Start keeping undo steps; returns the mark to go back to. Each keep needs one release."""
        self._keepers += 1
        return len(self._undo)

    def release(self) -> None:
        self._keepers -= 1
        if not self._keepers:
            self._undo.clear()

    def roll_back(self, mark: int) -> list[Undo]:
        """Take back everything since `mark`; returns the steps that do it again, in order."""
        steps, self._undo[mark:] = self._undo[mark:], []
        for step in reversed(steps):
            step()
        redo = self._undo[mark:]
        self._undo[mark:] = []
        return redo[::-1]

    @contextmanager
    def seen_from(self, mark: int) -> Iterator[None]:
        """The state as it was at `mark`, for the length of the block."""
        redo = self.roll_back(mark)
        inner = len(self._undo)
        try:
            yield
        finally:
            del self._undo[inner:]
            for step in redo:
                step()


class Table:
    """Rows by id, found by id or by an indexed field. Rows loaded by `seed_rows` are the seed's and are not saved."""

    def __init__(self, name: str, log: ChangeLog, *indexes: str) -> None:
        self.name = name
        self.rows: dict[str, Row] = {}
        self.changed: set[str] = set()
        self._log = log
        self._indexes: dict[str, dict[Any, dict[str, None]]] = {field: {} for field in indexes}
        self._sorted: list[str] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, row_id: object) -> bool:
        return row_id in self.rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def get(self, row_id: str) -> Row | None:
        return self.rows.get(row_id)

    def find(self, field: str, value: Any) -> list[Row]:
        rows = self.rows
        return [rows[row_id] for row_id in self._indexes[field].get(value, ())]

    def sorted_ids(self) -> list[str]:
        if self._sorted is None:
            self._sorted = sorted(self.rows)
        return self._sorted

    def in_order(self) -> list[Row]:
        return [self.rows[row_id] for row_id in self.sorted_ids()]

    def seed_rows(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._set(row["id"], row)

    def put(self, row: Row) -> Row:
        self._change(row["id"], row)
        return row

    def update(self, row_id: str, **fields: Any) -> Row:
        return self.put({**self.rows[row_id], **fields})

    def remove(self, row_id: str) -> None:
        if row_id in self.rows:
            self._change(row_id, None)

    def differences(self) -> dict[str, Row | None]:
        """What the state file keeps: changed rows, None for a removed one."""
        return {row_id: self.rows.get(row_id) for row_id in sorted(self.changed)}

    def load_differences(self, rows: dict[str, Row | None]) -> None:
        for row_id, row in rows.items():
            self._set(row_id, row)
            self.changed.add(row_id)

    def _change(self, row_id: str, row: Row | None) -> None:
        old = self.rows.get(row_id)
        self._set(row_id, row)
        self.changed.add(row_id)
        self._log.record(lambda: self._change(row_id, old))

    def _set(self, row_id: str, row: Row | None) -> None:
        old = self.rows.get(row_id)
        for field, index in self._indexes.items():
            if old is not None:
                self._forget(index, old.get(field), row_id)
            if row is not None:
                index.setdefault(row.get(field), {})[row_id] = None
        if row is None:
            self.rows.pop(row_id, None)
        else:
            self.rows[row_id] = row
        if (old is None) != (row is None):
            self._sorted = None

    @staticmethod
    def _forget(index: dict[Any, dict[str, None]], value: Any, row_id: str) -> None:
        ids = index.get(value)
        if ids is not None:
            ids.pop(row_id, None)
            if not ids:
                del index[value]
