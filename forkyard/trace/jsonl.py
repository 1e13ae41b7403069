"""One JSON object per event: its class as "event", its kind, and its fields under their own names."""

from __future__ import annotations

import json
from typing import Any

from forkyard.trace.kinds import KIND_OF


def line(event: Any) -> str:
    """The event as one line of JSON. Bytes become text, undecodable ones as \\xNN."""
    fields = {name: _plain(value) for name, value in event._asdict().items()}
    return json.dumps({"event": type(event).__name__, "kind": KIND_OF[type(event)], **fields}) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
