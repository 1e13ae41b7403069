"""The seeded bugs, by name: each a way to get the process model, the machine or the assembler wrong.

A test is named where it is enough to fail on its own, so that a mutant costs seconds.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

COW = "tests/kernel/test_cow.py"
WAIT = "tests/kernel/wait/test_wait4.py"
LATER = "tests/kernel/test_what_only_shows_later.py"
MEMORY = "tests/vm/test_memory_and_snapshots.py"
UNICORN = "tests/vm/test_against_unicorn.py"
SV39 = "tests/vm/test_sv39.py::test_random_tables_and_accesses_do_what_the_manual_says"
SAMPLES = "tests/programs/test_samples.py"

KERNEL = (
    # fork and copy on write
    Mutant(
        "fork-without-flushing-the-tlb",
        "kernel.fork_policy",
        "fork",
        "address_space.flush(k, parent)",
        "pass",
        (f"{COW}::test_a_store_that_the_tlb_knew_before_the_fork_is_caught_after_it",),
    ),
    Mutant(
        "fork-leaves-the-parent-its-right-to-write",
        "kernel.cow",
        "share_leaf",
        "ram.write(table * PAGE + first * 8, readable)",
        "pass",
        (f"{COW}::test_a_child_sees_what_its_parent_had_and_neither_sees_what_the_other_writes",),
    ),
    Mutant(
        "fork-does-not-hold-the-shared-frames",
        "kernel.cow",
        "share_leaf",
        "k.frames.hold_many(ppns)",
        "pass",
        (f"{COW}::test_a_child_sees_what_its_parent_had_and_neither_sees_what_the_other_writes",),
    ),
    Mutant(
        "cow-takes-a-page-that-somebody-else-has",
        "kernel.cow",
        "store_fault",
        "k.frames.count(old) == 1",
        "k.frames.count(old) <= 2",
        (f"{COW}::test_one_store_into_a_shared_page_copies_that_page_and_no_other",),
    ),
    Mutant(
        "cow-copies-for-the-last-holder-too",
        "kernel.cow",
        "store_fault",
        "k.frames.count(old) == 1",
        "k.frames.count(old) == 0",
        (f"{COW}::test_the_last_holder_of_a_page_gets_its_right_to_write_back_without_a_copy",),
    ),
    Mutant(
        "cow-drops-a-reference-twice",
        "kernel.cow",
        "store_fault",
        "        k.frames.release(old)",
        "        k.frames.release(old)\n        k.frames.release(old)",
        (COW,),
    ),
    Mutant(
        "cow-never-drops-its-reference",
        "kernel.cow",
        "store_fault",
        "        k.frames.release(old)",
        "        pass",
        (COW,),
    ),
    Mutant(
        "a-kernel-write-skips-cow",
        "kernel.user_memory",
        "_address",
        "k.machine.translate(t.hart, va, access)",
        'k.machine.translate(t.hart, va, "load")',
        (f"{COW}::test_the_kernel_copies_a_shared_page_too_when_it_writes_for_a_process",),
    ),
    Mutant(
        "a-child-does-not-know-that-it-is-one",
        "kernel.lifecycle",
        "_copy_process",
        "child.hart.x[A0] = 0",
        "child.hart.x[A0] = pid",
        (f"{SAMPLES}::test_a_sample_built_by_our_tools",),
    ),
    # memory
    Mutant(
        "new-frames-are-not-zeroed",
        "kernel.frames",
        "Frames.alloc",
        "if zero:",
        "if False:",
        ("tests/kernel/test_tables.py::test_frames_are_handed_out_zeroed_and_counted",),
    ),
    Mutant(
        "unmapped-pages-keep-their-frames",
        "kernel.pagetable_ranges",
        "unmap",
        "k.frames.release_many(gone)",
        "pass",
        ("tests/kernel/test_memory.py::test_what_brk_gave_up_is_gone_and_comes_back_as_zeros",),
    ),
    Mutant(
        "unmapped-pages-stay-in-the-tlb",
        "kernel.mm",
        "unmap_pages",
        "flush(k, mm)",
        "pass",
        (f"{LATER}::test_a_page_that_brk_gave_up_is_reached_no_more_though_the_tlb_knew_it",),
    ),
    Mutant(
        "constants-can-be-written",
        "kernel.fault",
        "_NEEDED",
        '"store": PROT_WRITE',
        '"store": PROT_READ | PROT_WRITE',
        ("tests/kernel/test_memory.py::test_read_only_segments_cannot_be_written_by_the_program_or_for_it",),
    ),
    Mutant(
        "the-stack-grows-without-limit",
        "kernel.fault",
        "_grow_stack",
        "start < stack.end - limits.soft(k, t, limits.STACK) or ",
        "",
        ("tests/kernel/test_signals.py::test_the_stack_grows_to_its_limit_and_no_further",),
    ),
    Mutant(
        "reused-asids-find-old-translations",
        "kernel.mm",
        "activate",
        "k.machine.sfence()",
        "pass",
        ("tests/kernel/test_scheduler.py::test_when_address_space_ids_run_out_they_are_given_out_anew",),
    ),
    # exec, exit, wait
    Mutant(
        "exec-keeps-the-old-memory",
        "kernel.exec",
        "execve",
        "mm.release(k, old)",
        "pass",
        (f"{LATER}::test_the_new_program_sees_nothing_of_the_old_ones_memory",),
    ),
    Mutant(
        "exec-keeps-what-was-to-be-closed",
        "kernel.exec",
        "execve",
        "fs.close_on_exec(k, t.fdtable)",
        "pass",
        (f"{LATER}::test_execve_closes_what_was_marked_for_it",),
    ),
    Mutant(
        "exec-commits-before-it-can-fail-no-more",
        "kernel.exec",
        "_build",
        "        mm.destroy(k, mm_id)",
        "        pass",
        ("tests/kernel/test_out_of_memory.py::test_exec_that_runs_out_of_memory_anywhere_leaves_the_caller_as_it_was",),
    ),
    Mutant(
        "a-zombie-keeps-its-memory",
        "kernel.lifecycle",
        "_end_task",
        "mm.release(k, t.mm)",
        "pass",
        (f"{WAIT}::test_a_zombie_holds_no_memory",),
    ),
    Mutant(
        "a-pid-is-reused-before-the-reap",
        "kernel.pids",
        "Pids.release",
        "if holds:",
        "if holds > 1:",
        ("tests/kernel/wait/test_pids.py::test_a_number_is_free_only_when_nothing_goes_by_it",),
    ),
    Mutant(
        "init-is-not-told-of-an-orphaned-zombie",
        "kernel.reaper",
        "_arrive",
        "    if child.zombie:",
        "    if False:",
        (f"{LATER}::test_init_hears_of_a_zombie_that_it_inherits_from_a_process_that_was_not_its_child",),
    ),
    Mutant(
        "orphans-stay-without-a-parent",
        "kernel.reaper",
        "give_away",
        "        adopt(k, reaper, child)",
        "        pass",
        (f"{WAIT}::test_orphans_and_orphaned_zombies_become_the_children_of_init",),
    ),
    Mutant(
        "wnohang-waits",
        "kernel.wait",
        "wait",
        "if options & WNOHANG:",
        "if False:",
        (f"{WAIT}::test_wnohang_does_not_wait",),
    ),
    Mutant(
        "an-exit-code-has-more-than-eight-bits",
        "kernel.syscalls.process",
        "sys_exit_group",
        "(status & 0xFF) << 8",
        "(status & 0xFFFF) << 8",
        (f"{WAIT}::test_only_the_low_byte_of_an_exit_code_arrives",),
    ),
    # schedule, pipes, snapshots
    Mutant(
        "a-slice-is-one-instruction-too-long",
        "kernel.scheduler",
        "_begin_slice",
        "k.machine.retired + length",
        "k.machine.retired + length + 1",
        ("tests/kernel/test_scheduler.py::test_a_slice_ends_after_exactly_the_quantum",),
    ),
    Mutant(
        "a-reservation-survives-a-switch-of-task",
        "kernel.scheduler",
        "_switch",
        "t.hart.clear_reservation()",
        "pass",
        ("tests/kernel/test_scheduler.py::test_a_switch_of_task_breaks_a_reservation",),
    ),
    Mutant(
        "a-broken-pipe-sends-no-signal",
        "kernel.fs.pipe",
        "_break",
        "send_to_task(k, t, by_user(SIGPIPE, t))",
        "pass",
        ("tests/kernel/fs/test_pipes.py::test_who_writes_for_nobody_gets_sigpipe_and_epipe",),
    ),
    Mutant(
        "a-handler-does-not-block-its-own-signal",
        "kernel.signal_frame",
        "push",
        "1 << info.signal - 1",
        "0",
        ("tests/kernel/signals/test_frame.py::test_the_frame_is_the_one_of_linux",),
    ),
    Mutant(
        "the-parent-of-vfork-does-not-wait",
        "kernel.lifecycle",
        "clone",
        "if flags & CLONE_VFORK:",
        "if False:",
        ("tests/kernel/test_vfork.py::test_what_the_child_writes_its_parent_has",),
    ),
    Mutant(
        "a-mount-follows-symbolic-links",
        "kernel.fs.host_dir",
        "_DIRECTORY",
        "os.O_DIRECTORY | os.O_NOFOLLOW",
        "os.O_DIRECTORY",
        ("tests/kernel/fs/test_mount.py::test_a_directory_swapped_for_a_link_while_it_is_open_leads_nowhere",),
    ),
    Mutant(
        "a-snapshot-misses-what-was-only-reached",
        "kernel.table",
        "Table.__getitem__",
        "self._touched[row_id] = None",
        "pass",
        ("tests/kernel/test_tables.py::test_a_snapshot_of_a_table_does_not_see_what_happens_later",),
    ),
)

MACHINE = (
    Mutant(
        "d-is-not-set-on-a-tlb-hit",
        "vm.mmu",
        "Mmu._fill",
        "space.insert(access, page, offset)",
        "space.insert(access, page, offset)\n"
        '            if access == "load":\n'
        '                space.insert("store", page, offset)',
        (f"{MEMORY}::test_a_page_that_was_read_gets_its_d_bit_when_it_is_written_though_the_tlb_holds_it",),
    ),
    Mutant("loads-leave-a-unset", "vm.mmu", "_MARKS", '"load": PTE_A,', '"load": 0,', (SV39,)),
    Mutant(
        "misaligned-superpages-are-accepted",
        "vm.mmu",
        "Mmu._leaf",
        " or pa & below",
        "",
        (f"{MEMORY}::test_a_superpage_must_be_aligned_to_its_size",),
    ),
    Mutant("reserved-bits-are-accepted", "vm.mmu", "Mmu._leaf", " or pte & PTE_RESERVED", "", (SV39,)),
    Mutant(
        "half-of-a-store-that-faults-is-done",
        "vm.memory",
        "Memory.store",
        '        second = self.mmu.translate(self.satp, va + room & (1 << 64) - 1, "store")\n'
        '        first = self.mmu.translate(self.satp, va, "store")\n'
        "        self._write(first, data[:room])",
        '        first = self.mmu.translate(self.satp, va, "store")\n'
        "        self._write(first, data[:room])\n"
        '        second = self.mmu.translate(self.satp, va + room & (1 << 64) - 1, "store")',
        (f"{MEMORY}::test_a_store_whose_second_half_faults_changes_nothing",),
    ),
    Mutant(
        "sfence-of-one-page-does-nothing",
        "vm.tlb",
        "Tlb.sfence",
        "space.drop(page)",
        "pass",
        (f"{MEMORY}::test_a_page_that_lost_its_right_to_be_written_is_not_written_after_sfence",),
    ),
    Mutant(
        "a-snapshot-leaves-the-tlb-open-for-stores",
        "vm.snapshot",
        "take",
        "tlb.close_stores()",
        "pass",
        (f"{MEMORY}::test_going_back_to_a_snapshot_undoes_stores_that_the_tlb_let_through",),
    ),
    Mutant(
        "jalr-keeps-bit-0",
        "vm.isa.rv64i",
        "jalr",
        '(s.x("rs1") + s.imm()) & ~1',
        's.x("rs1") + s.imm()',
        ("tests/vm/test_traps.py",),
    ),
    Mutant("shifts-by-a-register-use-five-bits", "vm.isa.rv64i", "_shift", "& 63", "& 31", (UNICORN,)),
    Mutant(
        "sc-succeeds-at-any-address",
        "vm.isa.a",
        "_sc",
        "s.reservation == address",
        "s.reservation == s.reservation",
        (f"{UNICORN}::test_reservations_do_what_they_do_on_unicorn",),
    ),
    Mutant("word-amos-are-not-sign-extended", "vm.isa.a", "_amo_of_size", "old.sext(64)", "old.zext(64)", (UNICORN,)),
)

ASSEMBLER = (
    Mutant(
        "branch-offsets-are-off-by-one",
        "asm.relocate",
        "branch_bits",
        "(value >> 1 & 15) << 8",
        "(value + 2 >> 1 & 15) << 8",
        (f"{SAMPLES}::test_a_sample_built_by_our_tools",),
    ),
    Mutant(
        "the-upper-part-is-not-rounded",
        "asm.relocate",
        "high_bits",
        "value + 0x800 & 0xFFFFF000",
        "value & 0xFFFFF000",
        (f"{SAMPLES}::test_a_sample_built_by_our_tools",),
    ),
)

COMMAND_LINE = (
    Mutant(
        "the-cache-forgets-what-was-included",
        "forkyard.build",
        "_key",
        "data, *included]",
        "data]",
        ("tests/forkyard/test_build.py::test_an_included_file_that_changed_counts",),
    ),
    Mutant(
        "a-damaged-cache-entry-is-believed",
        "forkyard.cache",
        "load",
        "return content if sound else None",
        "return content",
        ("tests/forkyard/test_cache.py::test_a_damaged_entry_is_no_entry",),
    ),
    Mutant(
        "the-programs-options-are-taken-for-ours",
        "forkyard.arguments",
        "split",
        'while at < len(argv) and argv[at].startswith("-")',
        'while at < len(argv) and any(word.startswith("-") for word in argv[at:])',
        ("tests/forkyard/test_usage.py::test_what_follows_file_is_the_programs",),
    ),
)

MUTANTS: dict[str, Mutant] = {m.name: m for m in (*KERNEL, *MACHINE, *ASSEMBLER, *COMMAND_LINE)}
