"""Where a lacking oracle fails a test rather than skipping it."""

from __future__ import annotations

import pytest

from tests.oracles import in_ci, need


@pytest.mark.parametrize(
    ("value", "answer"),
    [("true", True), ("1", True), ("yes", True), ("github", True), ("", False), ("0", False), ("False", False)],
)
def test_ci_is_what_the_variable_says(value: str, answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", value)
    assert in_ci() == answer
    with pytest.raises(pytest.fail.Exception if answer else pytest.skip.Exception, match="is not installed"):
        need("no-such-tool")
