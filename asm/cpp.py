"""Runs the C preprocessor over .S files, as compilers do."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

from asm.errors import AssemblyError, AssemblyErrors

_TIMEOUT = 60  # seconds


def preprocess(path: str, include: Sequence[str], warnings: list[str] | None = None) -> bytes:
    """What `cpp` makes of a file; its warnings are appended to `warnings`. Raises AssemblyErrors if there is no cpp,
    or if it finds errors.
    """
    cpp = shutil.which("cpp") or shutil.which("riscv64-linux-gnu-cpp")
    if cpp is None:
        message = "a .S file goes through the C preprocessor, and there is no `cpp` here"
        hint = "install it (Debian: apt install cpp), or name the file .s if it uses no #include or #define"
        raise AssemblyErrors([AssemblyError(message, None, hint=hint, name=path)])
    flags = [f"-I{folder}" for folder in include]
    command = [cpp, "-x", "assembler-with-cpp", "-undef", "-D__riscv", "-D__riscv_xlen=64", "-D__ASSEMBLER__"]
    name = f"./{path}" if path.startswith("-") else path  # which would be an option, or `-` stdin
    words = [*command, *flags, name]
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise AssemblyErrors([AssemblyError(f"cpp failed: {problem}", None, name=path)]) from None
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode:
        raise AssemblyErrors([AssemblyError("cpp says:\n" + said, None, name=path)])
    if said and warnings is not None:
        warnings.append(said.rstrip("\n"))
    return done.stdout
