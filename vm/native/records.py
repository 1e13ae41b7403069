"""The records of a page of code: what the threaded interpreter runs, one for each place where an instruction can be.

A record is made when it is first reached (it begins as "decode"), and again when its instruction was written over.
The one after the last goes on at the next page.
"""

from __future__ import annotations

import struct
from array import array

from vm.hart import SINK
from vm.isa.spec import Insn
from vm.memory import INSTRUCTION_ALIGNMENT
from vm.native.handlers import handler_name, has_near
from vm.native.ir import can_render, reads_counter
from vm.native.layout import COUNTER_AT, RECORD
from vm.native.tlb import address_of
from vm.ram import PAGE
from vm.step import understand

PLACES = PAGE // INSTRUCTION_ALIGNMENT
_MASK = (1 << 64) - 1
_PACK = struct.Struct("<QHHHxxQQ")
_HANDLER = struct.Struct("<Q")


class Plan:
    """How the operands of an instruction go into a record: handler addresses, and which argument is which field."""

    __slots__ = ("far", "fields", "insn", "near")

    def __init__(self, insn: Insn, address: dict[str, int]) -> None:
        native = can_render(insn)
        self.insn = insn
        self.far = address[handler_name(insn, False)] if native else address["fallback"]
        self.near = address[handler_name(insn, True)] if native and has_near(insn) else None
        self.fields = tuple(insn.fields)


class Decoder:
    """Writes records. `address` gives the handlers by name."""

    def __init__(self, address: dict[str, int]) -> None:
        self._address = address
        self._plans: dict[str, Plan] = {}
        self._undecoded = _HANDLER.pack(address["decode"])
        empty = self._undecoded + bytes(RECORD - 8)
        self._template = empty * PLACES + _HANDLER.pack(address["far"]) + bytes(RECORD - 8)

    def page(self, page: int) -> Records:
        """The records of the page at virtual address `page`, none of them decoded."""
        return Records(self._template, page)

    def forget(self, records: Records, low: int, high: int) -> None:
        """The bytes at offsets `low` to `high` of the page change: decode them again when they are reached."""
        for place in range(low // INSTRUCTION_ALIGNMENT, (high - 1) // INSTRUCTION_ALIGNMENT + 1):
            records.memory[place * RECORD : place * RECORD + 8] = self._undecoded

    def is_decoded(self, records: Records, pc: int) -> bool:
        """Whether the record for `pc` has been written."""
        offset = (pc & PAGE - 1) // INSTRUCTION_ALIGNMENT * RECORD
        return records.memory[offset : offset + 8] != self._undecoded

    def decode(self, records: Records, pc: int, word: int) -> bool:
        """Write the record of the instruction `word` at `pc`. True if the next one in memory may follow it."""
        insn, _, arguments = understand(word)
        if insn is None:
            self._write(records, pc, self._address["illegal"], {})
            return False
        plan = self._plan(insn)
        fields = dict(zip(plan.fields, arguments, strict=True))
        self._write(records, pc, self._handler(plan, fields, pc), fields)
        return plan.near is None

    def install(self, records: Records, pc: int, address: int) -> None:
        """From now on `address` runs what begins at `pc`."""
        offset = (pc & PAGE - 1) // INSTRUCTION_ALIGNMENT * RECORD
        records.memory[offset : offset + 8] = _HANDLER.pack(address)

    def _plan(self, insn: Insn) -> Plan:
        plan = self._plans.get(insn.name)
        if plan is None:
            plan = self._plans[insn.name] = Plan(insn, self._address)
        return plan

    def _handler(self, plan: Plan, fields: dict[str, int], pc: int) -> int:
        """The near or far handler, or "illegal" for a CSR that is not there or cannot be written."""
        if plan.near is not None:
            target = pc + fields["imm"] & _MASK
            return plan.near if target ^ pc < PAGE and not target & INSTRUCTION_ALIGNMENT - 1 else plan.far
        return plan.far if reads_counter(plan.insn, fields) else self._address["illegal"]

    def _write(self, records: Records, pc: int, handler: int, fields: dict[str, int]) -> None:
        get = fields.get
        immediate = get("imm", get("shamt", COUNTER_AT.get(get("csr", 0), 0)))
        offset = (pc & PAGE - 1) // INSTRUCTION_ALIGNMENT * RECORD
        registers = ((get("rd", 0) or SINK) * 8, get("rs1", 0) * 8, get("rs2", 0) * 8)
        _PACK.pack_into(records.memory, offset, handler, *registers, immediate, pc)


class Records:
    """The records of one page: `memory`, and the host `address` where they begin."""

    __slots__ = ("address", "memory")

    def __init__(self, template: bytes, page: int) -> None:
        self.memory = bytearray(template)
        pcs = memoryview(self.memory).cast("Q")[3::4]
        pcs[:] = memoryview(array("Q", [pc & _MASK for pc in range(page, page + PAGE + 1, INSTRUCTION_ALIGNMENT)]))
        self.address = address_of(self.memory)
