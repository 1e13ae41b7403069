"""The cache is an optimisation only: whatever is wrong with it, the thing is made anew."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from forkyard import cache, cli


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORKYARD_CACHE", str(tmp_path / "deep" / "cache"))
    return tmp_path / "deep" / "cache"


def test_what_was_stored_is_found(folder: Path) -> None:
    cache.store("name", b"content")
    assert cache.load("name") == b"content"
    assert cache.load("other") is None


def test_only_its_owner_can_look_into_it(folder: Path) -> None:
    cache.store("name", b"content")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "name").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_others_can_write_is_not_used(folder: Path) -> None:
    cache.store("name", b"content")
    folder.chmod(0o777)
    assert cache.load("name") is None
    cache.store("another", b"content")
    assert not (folder / "another").exists()


@pytest.mark.parametrize("damage", [b"", b"forkyard", b"forkyard cache 1\n", None])
def test_a_damaged_entry_is_no_entry(folder: Path, damage: bytes | None) -> None:
    cache.store("name", b"content" * 1000)
    path = folder / "name"
    path.write_bytes(path.read_bytes()[:-1] + b"?" if damage is None else damage)
    assert cache.load("name") is None
    cache.store("name", b"anew")
    assert cache.load("name") == b"anew"


def test_without_a_place_to_write_nothing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    for place in (str(tmp_path / "file" / "cache"), "", "/proc/nowhere/cache"):
        monkeypatch.setenv("FORKYARD_CACHE", place)
        cache.store("name", b"content")
        assert cache.load("name") is None


def test_a_home_that_is_no_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").write_text("")
    monkeypatch.delenv("FORKYARD_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache.directory() == str(tmp_path / "home" / ".cache" / "forkyard")
    cache.store("name", b"content")
    assert cache.load("name") is None


def test_boundaries_count_in_a_name() -> None:
    assert cache.digest(b"ab", b"c") != cache.digest(b"a", b"bc")
    assert cache.digest(b"a") != cache.digest(b"a", b"")


def test_the_cache_stays_small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST", 10)
    for number in range(25):
        cache.store(f"{number}", b"x")
        os.utime(folder / f"{number}", (number, number))
    assert len(list(folder.iterdir())) <= 10
    assert cache.load("24") == b"x"


def test_readers_never_see_a_part(folder: Path) -> None:
    contents = [bytes([n]) * 200_000 for n in range(2)]
    cache.store("name", contents[0])
    seen: list[bytes | None] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(cache.load("name"))

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(50):
        cache.store("name", contents[n % 2])
    done.set()
    reader.join()
    assert all(data in contents for data in seen)


def test_the_cache_stays_below_its_size_and_the_oldest_go_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_BYTES", 100_000)
    for number in range(30):
        cache.store(f"{number}", bytes(10_000))
        os.utime(folder / f"{number}", (number, number))
        assert sum(path.stat().st_size for path in folder.iterdir()) < 111_000
    assert cache.load("29") is not None
    assert cache.load("0") is None


def test_the_command_shows_place_and_size_and_clears(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache.store("a program", bytes(5000))
    cache.store("region-1", bytes(1000))
    assert cli.main(["cache"]) == 0
    said = capsys.readouterr().out
    assert str(folder) in said and "1 translated parts" in said and "1 assembled programs" in said
    assert cli.main(["cache", "--clear"]) == 0
    assert "dropped 2 entries" in capsys.readouterr().out
    assert not list(folder.iterdir())
    assert cli.main(["cache", "--clear"]) == 0


def test_the_command_says_when_there_is_no_cache(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORKYARD_CACHE", "")
    assert cli.main(["cache"]) == 0
    assert "there is no cache" in capsys.readouterr().out
