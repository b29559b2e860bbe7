"""Disks that fill, databases that are damaged and folders that move, under a store that is open and at its start."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from vertenet.server.state import StoreError, trouble
from vertenet.server.store import RadiographStore

from .scenes import DOTTED, PLAIN, label_text, make_store, moved, submit, truth, write_images


def damage(database: Path) -> None:
    """Overwrite what lies in the middle of the file, as a bad disk does."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = database.stat().st_size
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))


def filled(store: RadiographStore) -> RadiographStore:
    for step in range(20):
        submit(store, PLAIN, spine=moved(truth(PLAIN), step / 10))
    return store


def test_15_a_database_that_is_damaged_while_it_is_open_is_noticed_and_told_at_the_next_start(tmp_path):
    store = filled(make_store(tmp_path))
    store.check(thorough=True)
    damage(tmp_path / ".vertenet" / "store.sqlite")
    store._database.close()
    with pytest.raises(StoreError, match="damaged"):
        store.check(thorough=True)
    with pytest.raises(StoreError, match=r"store\.sqlite: the label database .*(damaged|malformed).*docs/server\.md"):
        RadiographStore(str(tmp_path))


def test_15_labels_beside_the_images_outlive_a_database_that_is_lost(tmp_path):
    """The last resort of docs/server.md: the current labels come back from their files, without their history."""
    store = filled(make_store(tmp_path))
    submit(store, DOTTED)
    last = store.get_label(PLAIN, "final").read()
    damage(tmp_path / ".vertenet" / "store.sqlite")
    for part in (tmp_path / ".vertenet").glob("store.sqlite*"):
        part.rename(part.with_name(f"damaged-{part.name}"))
    again = RadiographStore(str(tmp_path))
    assert again.get_label(PLAIN, "final").read() == last
    assert sorted(label.image_id for label in again.final_labels()) == [DOTTED, PLAIN]
    assert [revision.action for revision in again.revisions(PLAIN)] == ["taken over"]


def test_15_a_backup_made_while_the_store_is_open_holds_everything(tmp_path):
    store = filled(make_store(tmp_path / "studies"))
    backup, database = tmp_path / "backup.sqlite", store.folder / ".vertenet" / "store.sqlite"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))  # as docs/server.md says it
    damage(database)
    store._database.close()
    for part in database.parent.glob("store.sqlite*"):
        part.unlink()
    shutil.copyfile(backup, database)
    again = RadiographStore(str(store.folder))
    assert len(again.revisions(PLAIN)) == 20
    assert again.identity == store.identity


@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_15_a_folder_that_is_moved_takes_nothing_and_nothing_is_made_in_its_place(tmp_path, replaced, elsewhere):
    studies, away = tmp_path / "studies", tmp_path / "away"
    store = make_store(studies, conf={"state": str(tmp_path / "state")} if elsewhere else None)
    first, content = submit(store), label_text(store, PLAIN).encode()
    studies.rename(away)
    if replaced:
        write_images(studies)
    before = sorted(tmp_path.rglob("*"))
    for attempt in (
        lambda: store.submit(PLAIN, content),
        lambda: store.end_labels(PLAIN, "final"),
        lambda: store.add_image("new", str(away / f"{PLAIN}.png"), {}),
        lambda: store.check(),
    ):
        with pytest.raises(StoreError, match="no longer where it was"):
            attempt()
    assert sorted(tmp_path.rglob("*")) == before
    if replaced:
        shutil.rmtree(studies)
    away.rename(studies)
    store.check()
    assert submit(store).number == first.number + 1


def test_15_a_database_that_was_replaced_is_not_written_to(tmp_path):
    store = make_store(tmp_path)
    submit(store)
    content = label_text(store, PLAIN).encode()
    database = tmp_path / ".vertenet" / "store.sqlite"
    for part in database.parent.glob("store.sqlite*"):
        part.unlink()
    with pytest.raises(StoreError, match="no longer where it was opened"):
        store.submit(PLAIN, content)
    assert not database.exists()


def test_15_what_a_failure_of_the_disk_means_is_said_and_faults_of_the_program_are_not_hidden():
    full = [sqlite3.OperationalError("database or disk is full"), OSError(errno.ENOSPC, "No space left on device")]
    assert all("disk is full" in trouble(error).sentence for error in full)
    assert "damaged" in trouble(sqlite3.DatabaseError("database disk image is malformed")).sentence
    assert "Read-only" in trouble(OSError(errno.EROFS, "Read-only file system")).sentence
    for fault in (sqlite3.IntegrityError("UNIQUE"), sqlite3.ProgrammingError("x"), OSError(errno.EPIPE, "pipe")):
        assert trouble(fault) is None


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 3 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(["mount", *options], capture_output=True).returncode:
        pytest.skip("a small disk can only be made by root on Linux")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_15_of_a_disk_that_fills_no_label_is_lost_that_was_kept(small_disk):
    store = make_store(small_disk)
    kept: dict[int, bytes] = {}
    with pytest.raises((sqlite3.OperationalError, OSError, StoreError)) as caught:
        fill(store, kept)
    assert kept
    error = caught.value
    assert "full" in (error if isinstance(error, StoreError) else trouble(error)).sentence
    for opened in (store, reopened(small_disk)):
        if opened is not None:
            assert all(opened.content_of(PLAIN, number) == content for number, content in kept.items())
    (small_disk / f"{DOTTED}.dcm").unlink()  # room again
    again = RadiographStore(str(small_disk))
    assert all(again.content_of(PLAIN, number) == content for number, content in kept.items())
    step = len(kept)  # the one that was not acknowledged, sent again
    repeated = again.keep(PLAIN, label(again, step), "final", {"annotator": "anna", "submission": f"s-{step}"})
    assert again.label_file(PLAIN, "final").read_bytes() == again.content_of(PLAIN, repeated.revision.number)


def fill(store: RadiographStore, kept: dict[int, bytes]) -> None:
    """Submit labels until the store refuses; what it acknowledged is in ``kept``, by revision."""
    for step in range(1000):
        content = label(store, step)
        answer = store.keep(PLAIN, content, "final", {"annotator": "anna", "submission": f"s-{step}"})
        kept[answer.revision.number] = content


def label(store: RadiographStore, step: int) -> bytes:
    return label_text(store, PLAIN, moved(truth(PLAIN), step / 1000)).encode()


def reopened(folder: Path) -> RadiographStore | None:
    """The store as a restart on the full disk finds it; None where it says in a sentence that it cannot."""
    try:
        return RadiographStore(str(folder))
    except StoreError:
        return None
