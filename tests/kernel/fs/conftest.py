"""Every machine that a test makes is checked when the test is over, whatever the test was about."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kernel.fs.box import Box


@pytest.fixture(autouse=True)
def nothing_is_miscounted() -> Iterator[None]:
    Box.made.clear()
    yield
    for box in Box.made[-20:]:
        box.check()
    Box.made.clear()


@pytest.fixture
def box() -> Box:
    return Box()
