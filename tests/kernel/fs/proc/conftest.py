"""The machine of the file system's tests, and its check at the end."""

from tests.kernel.fs.conftest import box, nothing_is_miscounted

__all__ = ["box", "nothing_is_miscounted"]
