"""What every test shares: hypothesis profiles; nothing is skipped in CI, and no instruction falls back to python."""

from __future__ import annotations

import os
from collections.abc import Generator
from functools import partialmethod

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests import fallbacks
from tests.oracles import in_ci

# The machine's speed must not decide a verdict, so no deadlines anywhere.
_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=_SLOW, max_examples=60, print_blob=True
)
settings.register_profile("dev", deadline=None, suppress_health_check=_SLOW, max_examples=30)
settings.register_profile("nightly", deadline=None, suppress_health_check=_SLOW, max_examples=2000)
# For seeded bugs (tests/mutants): that an example fails is enough, it need not become a small one.
settings.register_profile("mutants", parent=settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate])
# The same examples every day: a red run means a change, not a new seed. `make nightly` searches with fresh ones.
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--native", action="store_true", help="machines that choose their engine run on llvm from the start"
    )
    parser.addoption("--fork", metavar="POLICY", help="machines that choose no fork policy have this one")


@pytest.fixture(autouse=True, scope="session")
def fork_policy(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    """With --fork: what holds under one policy of fork holds under each."""
    with pytest.MonkeyPatch.context() as patch:
        if policy := request.config.getoption("--fork"):
            from kernel.config import Config

            patch.setattr(Config, "__init__", partialmethod(Config.__init__, fork=policy))
        yield


@pytest.fixture(autouse=True, scope="session")
def native(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    """With --native: what the python engine passes the llvm engine passes too, with regions almost at once."""
    with pytest.MonkeyPatch.context() as patch:
        if request.config.getoption("--native"):
            from vm import machine
            from vm.native import layout

            choose = machine.choose
            patch.setattr(layout, "HOT_JUMPS", 40)
            patch.setattr(machine, "choose", lambda name, parts: choose("llvm" if name == "auto" else name, parts))
        yield


@pytest.fixture(autouse=True, scope="session")
def every_instruction_has_its_native_translation() -> Generator[None, None, None]:
    """See pytest_runtest_call."""
    with pytest.MonkeyPatch.context() as patch:
        fallbacks.watch(patch)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """A test fails in which the llvm engine lacked a translation: in the whole suite no instruction falls back."""
    yield
    fallbacks.demand_none()


@pytest.fixture(autouse=True, scope="session")
def one_cache_for_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Generator[None, None, None]:
    """The user's own cache stays out of it, and samples are assembled once. Seeded bugs run without any cache."""
    with pytest.MonkeyPatch.context() as patch:
        if "FORKYARD_MUTANT" not in os.environ:
            patch.setenv("FORKYARD_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one: a missing oracle must not look like agreement with it."""
    report = yield
    if in_ci() and report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and in CI nothing may be: {reason}"
    return report
