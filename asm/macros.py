"""Macros: their parameters, the arguments of a call, and the text that comes out.

Source: GNU as manual, 7.79 .macro; arguments are separated by commas or blanks as GNU as 2.40 does it, after its
preprocessing (3.1), which keeps a blank only between two characters of names.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from asm.errors import Statement, StatementError, did_you_mean
from asm.tokens import NAME

_NAME = re.compile(NAME)
_REFERENCE = re.compile(rf"\\(?:(@)|\(\)|({NAME}))")
_QUOTED_OR_BLANKS = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:\\.|[^\\])'?)|(\s+)""")
_KEYWORD = re.compile(rf"({NAME})=(?!=)")


def name_at(text: str) -> str:
    """The name that the text begins with, if any."""
    found = _NAME.match(text)
    return found[0] if found else ""


class Parameter(NamedTuple):
    """A parameter: kind is "", "req" (must be given) or "vararg" (takes all the rest)."""

    name: str
    kind: str
    default: str


class Macro:
    """A macro's definition: its parameters and the statements of its body."""

    def __init__(self, name: str, parameters: list[Parameter], body: list[Statement]) -> None:
        self.name = name
        self.parameters = parameters
        self.body = body

    def bind(self, text: str) -> dict[str, str]:
        """The value of each parameter for a call's arguments. Raises StatementError."""
        values: dict[str, str] = {}
        position, rest = 0, squeeze(text)
        known = {parameter.name: parameter for parameter in self.parameters}
        while rest:
            keyword = _KEYWORD.match(rest)
            if keyword and self.parameters:
                if keyword[1] not in known:
                    hint = did_you_mean(keyword[1], known)
                    raise StatementError(f"macro `{self.name}` has no parameter `{keyword[1]}`", 0, 1, hint)
                parameter, rest = known[keyword[1]], rest[keyword.end() :]
            elif position < len(self.parameters):
                parameter = self.parameters[position]
                position += 1
            else:
                wanted = len(self.parameters)
                raise StatementError(f"macro `{self.name}` takes {wanted} argument{'s' * (wanted != 1)}, here are more")
            if parameter.kind == "vararg":
                values[parameter.name], rest = rest, ""
            else:
                values[parameter.name], rest = argument(rest)
        return self._defaults(values)

    def _defaults(self, values: dict[str, str]) -> dict[str, str]:
        for parameter in self.parameters:
            if not values.get(parameter.name):
                if parameter.kind == "req":
                    raise StatementError(f"macro `{self.name}` needs a value for `{parameter.name}`")
                values[parameter.name] = parameter.default
        return values


def squeeze(text: str) -> str:
    """The text without blanks, except in quotes and between two characters of names (there one is kept)."""

    def shorten(match: re.Match[str]) -> str:
        if match[1] is not None:
            return match[1]
        before, after = text[: match.start()][-1:], text[match.end() :][:1]
        return " " if _is_name(before) and _is_name(after) else ""

    return _QUOTED_OR_BLANKS.sub(shorten, text.strip())


def _is_name(character: str) -> bool:
    return character.isalnum() or character in ("_", ".", "$", "\\") or character > "\x7f"


def argument(text: str) -> tuple[str, str]:
    """The first argument of squeezed text, and what follows its separator. A quoted argument loses its quotes."""
    if text.startswith('"'):
        quoted = re.match(r'"((?:[^"\\]|\\.)*)"', text)
        if quoted:
            return quoted[1], _skip(text[quoted.end() :])
    depth, at = 0, 0
    while at < len(text):
        character = text[at]
        if character in "\"'":
            closing = text.find(character, at + 1)
            at = len(text) if closing < 0 else closing + 1
            continue
        if character == "," or (character == " " and not depth):
            break
        depth = max(0, depth + (character in "([") - (character in ")]"))
        at += 1
    return text[:at], _skip(text[at:])


def _skip(text: str) -> str:
    """What follows the separator between two arguments: one comma, or a blank."""
    return text[1:] if text[:1] in (",", " ") else text


def arguments(text: str) -> list[str]:
    """All arguments of a list such as .irp's."""
    found, rest = [], squeeze(text)
    while rest:
        separated = rest.endswith(",")
        value, rest = argument(rest)
        found.append(value)
        if not rest and separated and value + "," != rest and text.rstrip().endswith(","):
            found.append("")
    return found


def parameters(text: str) -> tuple[str, list[Parameter]]:
    """The name and parameters of a .macro line: `name a, b=1, c:req, d:vararg`. Raises StatementError."""
    text = text.strip()
    name = _NAME.match(text)
    if name is None:
        raise StatementError("`.macro` needs a name")
    found: list[Parameter] = []
    rest = squeeze(text[name.end() :].lstrip().removeprefix(","))
    while rest:
        match = re.match(rf"({_NAME.pattern})(?::(req|vararg))?(?:=)?", rest)
        if match is None:
            raise StatementError(f"`{rest[:20]}` is no parameter of a macro")
        default = ""
        if match[0].endswith("="):
            default, rest = argument(rest[match.end() :])
        else:
            rest = _skip(rest[match.end() :])
        if any(parameter.name == match[1] for parameter in found):
            raise StatementError(f"macro `{name[0]}` has two parameters named `{match[1]}`")
        found.append(Parameter(match[1], match[2] or "", default))
    return name[0], found


def substitute(text: str, values: dict[str, str], count: int) -> str:
    """The text with \\parameter, \\@ (how many macros have run) and \\() replaced."""
    if "\\" not in text:
        return text

    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return str(count)
        if match[2] is None:
            return ""
        return values.get(match[2], match[0])

    return _REFERENCE.sub(replace, text)
