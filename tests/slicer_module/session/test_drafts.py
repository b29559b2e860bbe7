"""The list of kept work: as the files are, and read again only where a file has changed."""

from __future__ import annotations

from dataclasses import replace

from ..mrml_scene import REPOSITORY  # noqa: F401 (puts the module on the path)

from VerteNetLib.drafts import Drafts  # isort: skip
from VerteNetLib.work import Work  # isort: skip


def test_the_list_follows_the_files_and_reads_each_of_them_once(tmp_path, monkeypatch):
    drafts, read = Drafts(tmp_path), []
    works = [Work(f"image {number}", (10, 10), notes="seen") for number in range(3)]
    for work in works:
        drafts.save(work)
    get = Drafts.get
    monkeypatch.setattr(Drafts, "get", lambda self, key: (read.append(key), get(self, key))[1])
    assert {draft.image_name for draft in drafts.all()} == {work.name for work in works}
    assert {draft.image_name for draft in drafts.all()} == {work.name for work in works}
    assert len(read) == 3, "nothing has changed since"
    drafts.save(replace(works[0], submitted="an id that is longer than none"))
    drafts.remove(works[1].key)
    assert {draft.image_name: draft.submitted for draft in drafts.all()} == {
        "image 0": "an id that is longer than none",
        "image 2": "",
    }
    assert len(read) == 4
