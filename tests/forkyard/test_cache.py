"""The cache is an optimisation only: whatever is wrong with it, the thing is made anew."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from forkyard import cache, cli
from tests.forkyard.conftest import TOP

MODE = "others may use it, too (chmod 700 makes it yours alone)"


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
    assert (folder / "name.forkyard").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o755, 0o701])
def test_a_folder_that_is_not_its_owners_alone_is_not_used(
    folder: Path, mode: int, capsys: pytest.CaptureFixture[str]
) -> None:
    cache.store("name", b"content")
    folder.chmod(mode)
    assert cache.load("name") is None
    cache.store("another", b"content")
    assert cache.clear() == 0
    assert [path.name for path in folder.iterdir()] == ["name.forkyard"]
    for words in (["cache"], ["cache", "--clear"]):
        assert cli.main(words) == 0
        assert capsys.readouterr().out == f"{folder}: nothing is kept: {MODE}\n"
    assert len(list(folder.iterdir())) == 1
    folder.chmod(0o700)
    assert cache.load("name") == b"content"


def test_what_belongs_to_another_user_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen by another user: neither the folder nor, in a folder of one's own, the file."""
    cache.store("name", b"content")
    us, stat = os.geteuid(), os.stat
    monkeypatch.setattr(os, "geteuid", lambda: us + 1)
    assert cache.refusal(str(folder)) == "it belongs to another user"
    assert cache.load("name") is None and cache.clear() == 0
    cache.store("another", b"content")
    assert [path.name for path in folder.iterdir()] == ["name.forkyard"]

    def owned(path: Any, **options: Any) -> os.stat_result:
        found = list(stat(path, **options))
        found[4] = us + 1
        return os.stat_result(found)

    monkeypatch.setattr(os, "stat", owned)
    assert cache.refusal(str(folder)) == "" and cache.load("name") is None


def test_a_file_that_others_can_write_is_not_used(folder: Path) -> None:
    cache.store("name", b"content")
    (folder / "name.forkyard").chmod(0o622)
    assert cache.load("name") is None


def test_only_plain_files_are_entries(folder: Path) -> None:
    """What a link leads to has another name, and to open a pipe may take for ever."""
    cache.store("name", b"content")
    (folder / "link.forkyard").symlink_to("name.forkyard")
    os.mkfifo(folder / "pipe.forkyard")
    (folder / "folder.forkyard").mkdir()
    assert [cache.load(name) for name in ("name", "link", "pipe", "folder")] == [b"content", None, None, None]
    cache.store("link", b"of its own")
    assert cache.load("link") == b"of its own" and cache.load("name") == b"content"


def test_a_link_to_a_folder_of_ones_own_is_as_good_as_the_folder(folder: Path) -> None:
    cache.store("name", b"content")
    folder.rename(folder.parent / "elsewhere")
    folder.symlink_to("elsewhere")
    assert cache.load("name") == b"content"
    (folder.parent / "elsewhere").chmod(0o755)
    assert cache.load("name") is None


def test_an_entry_under_another_name_is_no_entry(folder: Path) -> None:
    cache.store("name", b"content")
    (folder / "name.forkyard").rename(folder / "other.forkyard")
    assert cache.load("other") is None


def test_files_that_are_not_ours_stay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may name a folder with other things in it."""
    folder.mkdir(mode=0o700, parents=True)
    for number in range(20):
        (folder / f"{number}.txt").write_text("dear")
    monkeypatch.setattr(cache, "MOST", 4)
    for number in range(8):
        cache.store(f"{number}", b"x")
    cache.clear()
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{number}.txt" for number in range(20))


def test_what_a_killed_process_left_is_in_nobodys_way_and_goes_with_the_old(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "MOST", 3)
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(os, "replace", lambda *_: sys.exit())
        patch.setattr(os, "unlink", lambda _: None)
        cache.store("name", b"content")
    left = list(folder.iterdir())
    assert len(left) == 1 and cache.load("name") is None
    cache.store("name", b"content")
    assert cache.load("name") == b"content" and left[0].exists()
    os.utime(left[0], (0, 0))
    for number in range(3):
        cache.store(f"{number}", b"x")
    assert not left[0].exists()


def test_what_cannot_be_dropped_is_in_nobodys_way(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "folder.forkyard").mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    os.utime(folder / "folder.forkyard", (0, 0))
    monkeypatch.setattr(cache, "MOST", 2)
    for number in range(5):
        cache.store(f"{number}", b"x")
        assert cache.load(f"{number}") == b"x"


def test_a_store_that_fails_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr(os, "replace", full)
    cache.store("name", b"content")
    assert list(folder.iterdir()) == []


def test_what_another_process_drops_meanwhile_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.store("name", b"content")
    listed = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: ["gone.forkyard", *listed(path)])
    assert [path for _, _, path in cache.entries()] == [str(folder / "name.forkyard")]
    assert cache.clear() == 1


def test_what_would_fill_the_cache_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_BYTES", 10_000)
    cache.store("small", bytes(1000))
    cache.store("large", bytes(9000))
    assert cache.load("small") is not None and cache.load("large") is None


def test_not_every_store_looks_at_all_that_is_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, entries = [], cache.entries

    def look() -> list[tuple[float, int, str]]:
        looks.append(None)
        return entries()

    monkeypatch.setattr(cache, "entries", look)
    monkeypatch.setattr(cache, "MOST", 320)
    for number in range(100):
        cache.store(f"{number}", b"x")
    assert len(looks) == 5


def test_several_processes_store_and_drop_in_the_same_cache_at_once(folder: Path) -> None:
    """Each keeps to its limit, none fails, and whatever is found is whole."""
    program = (
        "import sys; from forkyard import cache; cache.MOST = 40\n"
        "for n in range(150):\n"
        "    name = str(n % 60); cache.store(name, name.encode() * 5000)\n"
        "    name = str(n * 7 % 60); found = cache.load(name)\n"
        "    assert found is None or found == name.encode() * 5000, name\n"
        "    if n % 50 == int(sys.argv[1]): cache.clear()\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", program, str(n)], cwd=TOP) for n in range(4)]
    assert [worker.wait(timeout=120) for worker in workers] == [0] * 4
    names = [path.name for path in folder.iterdir()]
    assert len(names) <= 40 + 3 * 2
    assert all(name.count(".") == 1 and cache.load(name.removesuffix(".forkyard")) for name in names)


@pytest.mark.parametrize("damage", [b"", b"forkyard", b"forkyard cache 2\n", None])
def test_a_damaged_entry_is_no_entry(folder: Path, damage: bytes | None) -> None:
    cache.store("name", b"content" * 1000)
    path = folder / "name.forkyard"
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
        os.utime(folder / f"{number}.forkyard", (number, number))
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
        os.utime(folder / f"{number}.forkyard", (number, number))
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
    for words in (["cache"], ["cache", "--clear"]):
        assert cli.main(words) == 0
        assert "there is no cache" in capsys.readouterr().out
