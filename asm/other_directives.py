"""Directives that are neither data, sections nor symbols: messages, options, what is noted for other tools.

Source: GNU as manual, 7: .error .warning .file .ident .loc; 9.38.2 RISC-V-Directives: .option .attribute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asm import insn_directive

if TYPE_CHECKING:
    from asm.arguments import Arguments
    from asm.assemble import Assembler


def _error(asm: Assembler, args: Arguments) -> None:
    """.error "message": an error that the program's author makes."""
    raise args.error(_message(args, ".error directive invoked in source file"))


def _warning(asm: Assembler, args: Arguments) -> None:
    asm.diagnostics.warning(_message(args, ".warning directive invoked in source file"), asm.statement)


def _err(asm: Assembler, args: Arguments) -> None:
    raise args.error("`.err` encountered")


def _message(args: Arguments, otherwise: str) -> str:
    return args.string(0).decode("utf-8", "replace") if args.has(0) else otherwise


def _ident(asm: Assembler, args: Arguments) -> None:
    asm.object.comments.append(args.string(0).decode("utf-8", "replace"))


def _file(asm: Assembler, args: Arguments) -> None:
    """.file "name", or .file number "name": noted by compilers; lines are told by the text assembled here."""
    args.limit(1, 2, '"name"')


def _ignored(asm: Assembler, args: Arguments) -> None:
    """Line and call frame information of compilers: accepted, and not used (docs/assembler.md says so)."""


def _option(asm: Assembler, args: Arguments) -> None:
    """.option push, pop, relax, norelax, pic, nopic, norvc, arch…"""
    args.limit(1, 100, "name")
    name = args.word(0)
    if name == "push":
        asm.option_stack.append(asm.options.copy())
    elif name == "pop":
        if not asm.option_stack:
            raise args.error("`.option pop` without `.option push`")
        asm.options = asm.option_stack.pop()
    elif name in ("relax", "norelax"):
        asm.options.relax = name == "relax"
    elif name in ("pic", "nopic"):
        asm.options.pic = name == "pic"
    elif name == "rvc":
        raise args.error("compressed instructions (the C extension) are not supported", args.nodes[0])
    elif name not in ("norvc", "csr-check", "no-csr-check", "arch"):
        raise args.error(f"unknown option `{name}`", args.nodes[0])


_TAGS = {
    "stack_align": 4,
    "arch": 5,
    "unaligned_access": 6,
    "priv_spec": 8,
    "priv_spec_minor": 10,
    "priv_spec_revision": 12,
}


def _attribute(asm: Assembler, args: Arguments) -> None:
    """.attribute tag, value: what the object says of itself (psABI, Attributes)."""
    args.limit(2, 2, "tag, value")
    if args.nodes[0][0] == "value" and args.nodes[0][1][0] == "name":
        tag = _TAGS.get(args.word(0).lower().removeprefix("tag_riscv_"), -1)
        if tag < 0:
            raise args.error("unknown attribute", args.nodes[0], "known are " + ", ".join(_TAGS))
    else:
        tag = args.number(0)
    value = args.string(1).decode("utf-8", "replace") if args.nodes[1][0] == "strings" else args.number(1)
    if tag < 0 or (isinstance(value, int) and value < 0):
        raise args.error("an attribute and its number are not negative", args.nodes[0])
    if isinstance(value, str) != bool(tag % 2):
        raise args.error("attributes with odd numbers are strings, the others numbers", args.nodes[1])
    asm.object.attributes[tag] = value


_CFI = "startproc endproc sections def_cfa def_cfa_offset def_cfa_register adjust_cfa_offset offset rel_offset register"
_CFI += " restore undefined same_value remember_state restore_state return_column signal_frame personality lsda escape"

TABLE = {
    ".error": _error,
    ".warning": _warning,
    ".err": _err,
    ".ident": _ident,
    ".file": _file,
    ".loc": _ignored,
    ".option": _option,
    ".attribute": _attribute,
    ".insn": insn_directive.run,
    **{f".cfi_{name}": _ignored for name in _CFI.split()},
}
