"""IR → machine code, by LLVM: the handlers, compiled once and kept as an object file, and regions.

The object's name in the cache is a digest of all that it follows from: the IR (and so every definition), the version
of LLVM, and the processor with its features. A changed definition never meets an old object.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from typing import Any, Protocol

import llvmlite
import llvmlite.binding as llvm

from vm.isa.spec import TABLE
from vm.native.handlers import is_rare, module, module_of_more, module_of_runs
from vm.native.ir import can_render
from vm.native.runs import REACHERS
from vm.native.walk import WALKERS

#: Regions that one LLVM linker links at most. It keeps 10 KiB of each for as long as it lives, and it lives as long as
#: any of them: then a new one links the next, and each engine gives up what it has from the old one.
MOST_LINKED = 1000
#: How LLVM generates code, and how hard it tries to make it better.
OPTIONS: dict[str, Any] = {"opt": 2, "jit": True, "reloc": "pic", "codemodel": "small"}
SPEED = 2


class ObjectCache(Protocol):
    """Where objects are kept between runs; either may do nothing."""

    def load(self, name: str) -> bytes | None:
        """The content kept under `name`, or None."""

    def store(self, name: str, content: bytes) -> None:
        """Keep it; failing is no error."""


class Native:
    """`address` of each handler by name, and `go(hart, record, budget, machine)`, all addresses and ints."""

    def __init__(self, objects: ObjectCache | None, count: bool) -> None:
        self._objects, self._count = objects, count
        self._jit = llvm.create_lljit_compiler(target_machine())
        self._linked = self.generation = 0
        self.address = _Addresses(self._load_more)
        self._libraries = [self._load("common")]
        number = ctypes.c_void_p  # ctypes passes it in half the time of a c_uint64
        go = ctypes.PYFUNCTYPE(None, number, number, number, number)(self.address["go"])
        self.go: Callable[[int, int, int, int], None] = go

    def _load(self, part: str) -> llvm.ResourceTracker:
        """A part of what is not a region: from the cache, or compiled."""
        (text, names), objects = _parts(self._count)[part], self._objects
        name = _object_name(self._count, part)
        image = objects.load(name) if objects is not None else None
        if image is None:
            image = _compile(target_machine(), text)
            if objects is not None:
                objects.store(name, image)
        walkers = {name: self.address[name] for name in WALKERS} if part != "common" else {}
        library = self._link(name, image, names, walkers)
        self.address.update({name: library[name] for name in names})
        return library

    def _load_more(self, name: str) -> None:
        self._libraries.append(self._load("runs" if name in REACHERS else "rare"))

    def install(self, image: bytes, plain: str, guard: int) -> llvm.ResourceTracker:
        """Make a region's object runnable: its address is ["region"] of the result, as long as that is kept.

        `plain` names the handler of the region's first instruction; `guard` is where its guard lies. `generation`
        tells the linkers apart: whoever has regions of an older one keeps all that it ever linked in memory.
        """
        self._linked += 1
        if self._linked % MOST_LINKED == 0:
            self._jit = llvm.create_lljit_compiler(target_machine())
            self.generation += 1
        imports = {"plain": self.address[plain], "guard": guard} | {
            name: self.address[name] for name in (*WALKERS, *REACHERS)
        }
        return self._link(f"region{self._linked}", image, ["region"], imports)

    def _link(
        self, name: str, image: bytes, exports: list[str], imports: dict[str, int] | None = None
    ) -> llvm.ResourceTracker:
        library = llvm.JITLibraryBuilder().add_object_img(image)
        for symbol in exports:
            library.export_symbol(symbol)
        for symbol, address in (imports or {}).items():
            library.import_symbol(symbol, address)
        return library.link(self._jit, name)


class _Addresses(dict[str, int]):
    """Handlers and helpers by name; whoever asks for one that is not there makes `load` add it and others."""

    def __init__(self, load: Callable[[str], None]) -> None:
        super().__init__()
        self._load = load

    def __missing__(self, name: str) -> int:
        self._load(name)
        return self[name]


_natives: dict[bool, Native] = {}


def native(objects: ObjectCache | None, count: bool) -> Native:
    """The handlers, compiled or loaded once in a process; with `count`, those that count loads and stores."""
    if count not in _natives:
        _natives[count] = Native(objects, count)
    return _natives[count]


def is_cached(objects: ObjectCache | None, count: bool) -> bool:
    """Whether `native` need not compile anything before it gives the common handlers."""
    if count in _natives:
        return True
    return objects is not None and objects.load(_object_name(count, "common")) is not None


def _object_name(count: bool, part: str) -> str:
    return f"handlers-{part}-{blake2b(toolchain(count).encode(), digest_size=20).hexdigest()}"


def toolchain(count: bool) -> str:
    """All that a handler's object follows from: the IR of every instruction, LLVM, its options, and the processor."""
    return "\n".join([_generator(), *(text for text, _ in _parts(count).values())])


def _generator() -> str:
    """LLVM, its options, and the processor."""
    host = f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"
    return f"{llvmlite.__version__} {llvm.llvm_version_info} {host} {OPTIONS} {SPEED}"


@cache
def origin() -> bytes:
    """A digest of all that a region follows from, but for the guest's code: our files, LLVM, the processor.

    The handlers' IR is not in it: it follows from the files, and from how often a jump is taken before it is hot, which
    is nothing to a region (and may be another here than in the worker). An instruction's encoding is in the files only.
    """
    state = blake2b(_generator().encode(), digest_size=20)
    for folder, inside, names in os.walk(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))):
        inside[:] = sorted(name for name in inside if name != "__pycache__")
        for name in sorted(names):
            with open(os.path.join(folder, name), "rb") as file:
                state.update(f"{name} ".encode() + blake2b(file.read()).digest())
    return state.digest()


@cache
def target_machine() -> llvm.TargetMachine:
    """LLVM's code generator for this processor; making one takes as long as translating a small region."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), **OPTIONS
    )


def compile_region(machine: llvm.TargetMachine, text: str) -> bytes:
    """The object file of a region's module (see region_ir.py).

    A context keeps every constant that it ever saw, so each region has its own. The pass builder cannot be used twice
    (a run leaves it pointers into its own stack), and llvmlite frees only a part of it: 5 KiB of each region stay.
    """
    parsed = llvm.parse_assembly(text, llvm.create_context())
    parsed.verify()
    _passes().run(parsed.get_function("region"), _pass_builder(machine))
    image: bytes = machine.emit_object(parsed)
    return image


@cache
def _parts(count: bool) -> dict[str, tuple[str, list[str]]]:
    """IR and names: the common handlers; the rare ones and what regions call, which can wait, mostly for ever."""
    insns = [insn for insn in TABLE.values() if can_render(insn)]
    common, rare = [insn for insn in insns if not is_rare(insn)], [insn for insn in insns if is_rare(insn)]
    return {"common": module(common, count), "rare": module_of_more(rare, count), "runs": module_of_runs()}


def _compile(machine: llvm.TargetMachine, text: str) -> bytes:
    parsed = llvm.parse_assembly(text)
    parsed.verify()
    passes, builder = _passes(), _pass_builder(machine)
    for function in parsed.functions:
        if not function.is_declaration:
            passes.run(function, builder)
    image: bytes = machine.emit_object(parsed)
    return image


def _passes() -> llvm.FunctionPassManager:
    """What makes code better than it was written. LLVM's whole pipeline takes longer than all the rest, for nothing."""
    passes = llvm.create_new_function_pass_manager()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    return passes


def _pass_builder(machine: llvm.TargetMachine) -> llvm.PassBuilder:
    return llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=SPEED))
