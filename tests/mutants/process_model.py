"""Seeded bugs in the rules of the process model: waiting, parents, groups, signals, threads, what exec keeps.

Most must be noticed by the differential tests (tests/differential), which compare with real Linux: so this also says
that the scripts which hypothesis writes for them reach these rules.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

BY_HAND = ("tests/differential/test_against_linux.py::test_a_script_by_hand",)
LINUX = ("tests/differential/test_against_linux.py::test_scripts_say_the_same_here_and_on_linux",)


WAIT = ("tests/kernel/wait",)
SIGNALS = ("tests/kernel/signals/test_cases.py", "tests/kernel/test_signals.py", "tests/kernel/test_exec.py")
THREADS = ("tests/kernel/threads",)


def _bug(name: str, module: str, function: str, old: str, new: str, tests: tuple[str, ...] = LINUX) -> Mutant:
    return Mutant(name, module, function, old, new, tests)


PROCESSES = (
    # waiting
    _bug("wnowait-takes-the-news-away", "kernel.wait", "_report", "options & WNOWAIT", "False"),
    _bug("a-stop-is-told-twice", "kernel.wait", "_report", "reaper.set_report(k, child, None)", "pass", WAIT),
    _bug("wait-takes-the-youngest-first", "kernel.wait", "_first_ready", "in thread.ready)", "in thread.ready[::-1])"),
    _bug("wclone-is-not-looked-at", "kernel.wait", "_is_eligible", "bool(options & WALL) or", "True or"),
    _bug("waiting-for-a-group-takes-any-child", "kernel.wait", "_first_ready", "wanted.kind != PGID", "True"),
    _bug("stops-are-told-to-who-asks-for-continuations", "kernel.wait", "_tells", "else WSTOPPED", "else WCONTINUED"),
    # parents and groups
    _bug(
        "ignoring-sigchld-reaps-nobody",
        "kernel.reaper",
        "_tell_of_end",
        "return action.handler == SIG_IGN or",
        "return",
        (*WAIT, *SIGNALS),
    ),
    _bug(
        "subreapers-are-passed-over", "kernel.reaper", "_new_reaper", "above.subreaper and above.threads", "False", WAIT
    ),
    _bug(
        "the-death-of-a-parent-is-not-told", "kernel.reaper", "give_away", "_tell_of_parents_death(k, t, child)", "pass"
    ),
    _bug("a-child-that-has-called-exec-is-moved", "kernel.pgroups", "_check_target", "group.did_exec", "False", WAIT),
    _bug("setsid-keeps-the-group", "kernel.pgroups", "setsid", "_move(k, k.groups[t.tgid], t.tgid, t.tgid)", "pass"),
    # signals
    _bug("sigcont-leaves-stops-pending", "kernel.signals", "_prepare", "forget(k, group, STOP_BITS)", "pass", SIGNALS),
    _bug("a-handler-is-never-reset", "kernel.signals", "_act", "action.flags & SA_RESETHAND", "False", BY_HAND),
    _bug(
        "the-highest-signal-comes-first",
        "kernel.signals",
        "take",
        "(bits & -bits).bit_length()",
        "bits.bit_length()",
        SIGNALS,
    ),
    _bug("blocked-signals-that-are-ignored-are-lost", "kernel.signals", "_prepare", "target.blocked & bit", "False"),
    _bug("going-on-is-not-told", "kernel.stopping", "go_on", "reaper.set_report(k, group, CONTINUED_STATUS)", "pass"),
    # exec, clone
    _bug(
        "exec-forgets-what-was-ignored", "kernel.exec", "_reset_signals", "action.handler == SIG_IGN", "False", BY_HAND
    ),
    _bug(
        "a-child-blocks-nothing",
        "kernel.clone",
        "_task",
        "child.blocked, child.policy = t.blocked,",
        "child.policy =",
        (*SIGNALS, *THREADS, *WAIT),
    ),
    _bug(
        "a-child-forgets-its-parents-handlers",
        "kernel.clone",
        "_sighand",
        "new.actions = dict(actions)",
        "pass",
        SIGNALS,
    ),
    # threads and files
    _bug("requeueing-loses-sleepers", "kernel.futex", "requeue", "if key != other", "if False", THREADS),
    _bug(
        "locks-outlive-their-process",
        "kernel.fs.locks",
        "closed_by_process",
        "_store(k, inode_id, (PROCESS, table_id), [])",
        "pass",
    ),
)
