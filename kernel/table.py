"""Tables of kernel objects: the only owners of tasks, address spaces, open files and the like.

Kernel objects are plain data and name each other by integer id, never by reference. That is what makes the whole
machine a value: a snapshot copies the rows that were reached since the last one and shares the rest.

The rule for users of a table: `table[id]` gives the object for reading *and writing* and marks the row as touched;
`table.peek(id)` gives it for reading only. Nobody keeps a row across a snapshot (the kernel takes none while a system
call or a fault is being handled), because a row reached before it isn't marked in the new epoch.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar


class Record:
    """Base of kernel objects: plain data in `__slots__` (int, bytes, str, bool, None; tuples, lists, dicts)."""

    __slots__: tuple[str, ...] = ()

    def freeze(self) -> tuple[Any, ...]:
        """A deep, immutable-by-convention copy of every field, in the order of `__slots__`."""
        return tuple([copied(getattr(self, name)) for name in self.__slots__])

    @classmethod
    def thaw(cls, data: tuple[Any, ...]) -> Any:
        """A new object equal to the one that `freeze` was called on."""
        row = cls.__new__(cls)
        for name, value in zip(cls.__slots__, data, strict=True):
            setattr(row, name, copied(value))
        return row


def copied(value: Any) -> Any:
    """A deep copy of plain data; what can't be changed is itself."""
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    if type(value) is list:
        return [copied(item) for item in value]
    if type(value) is bytearray:
        return bytearray(value)
    return value


T = TypeVar("T", bound=Record)


class Table(Generic[T]):
    """Rows by integer id. Ids that `add` makes go upwards and are never used twice; pids are given by the caller."""

    __slots__ = ("kind", "_rows", "_touched", "_frozen", "_next")

    def __init__(self, kind: type[T]) -> None:
        self.kind = kind
        self._rows: dict[int, T] = {}
        self._touched: dict[int, None] = {}
        self._frozen: dict[int, tuple[Any, ...]] = {}
        self._next = 1

    def __getitem__(self, row_id: int) -> T:
        self._touched[row_id] = None
        return self._rows[row_id]

    def peek(self, row_id: int) -> T:
        """The object, for reading only."""
        return self._rows[row_id]

    def add(self, row: T, row_id: int | None = None) -> int:
        """Puts a row in and returns its id: `row_id` if given (it must be free), else the next one."""
        if row_id is None:
            row_id = self._next
            self._next += 1
        assert row_id not in self._rows, f"{self.kind.__name__} {row_id} is in the table already"
        self._rows[row_id] = row
        self._touched[row_id] = None
        return row_id

    def remove(self, row_id: int) -> None:
        """Takes a row out for good."""
        del self._rows[row_id]
        self._touched.pop(row_id, None)

    def __contains__(self, row_id: int) -> bool:
        return row_id in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def ids(self) -> list[int]:
        """The ids of all rows, ascending."""
        return sorted(self._rows)

    def snapshot(self) -> tuple[int, dict[int, tuple[Any, ...]]]:
        """All rows as frozen data. Only rows touched since the last snapshot (or restore) are copied anew."""
        old = self._frozen
        frozen = {i: row.freeze() if i in self._touched else old[i] for i, row in self._rows.items()}
        self._frozen = frozen
        self._touched = {}
        return self._next, frozen

    def restore(self, data: tuple[int, dict[int, tuple[Any, ...]]]) -> None:
        """Back to what `snapshot` returned. Rows that haven't changed since that snapshot keep their object."""
        self._next, frozen = data
        old_rows, old, touched = self._rows, self._frozen, self._touched
        self._rows = {
            i: old_rows[i] if i in old_rows and i not in touched and old.get(i) is row else self.kind.thaw(row)
            for i, row in frozen.items()
        }
        self._frozen = frozen
        self._touched = {}
