"""MONAI Label's datastore interface over images in a folder and labels in a database."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.exception import LabelNotFoundException

from ..identity import annotator_of
from ..state import told
from .archive import ArchivedCase, write_archive
from .history import Revision
from .labels import FinalLabel, LabelStore
from .mirror import FOLDER
from .names import LABEL_EXTENSION, ORIGINAL, split_name


class RadiographStore(LabelStore, Datastore):
    """What MONAI Label asks of a datastore, answered from a `LabelStore`.

    Parameters
    ----------
    studies, read_only, conf
        As for `LabelStore`.
    auto_reload : bool
        Notice new and vanished image files while running; else at the start and at `refresh`.
    """

    def __init__(
        self,
        studies: str,
        *,
        auto_reload: bool = True,
        read_only: bool = False,
        conf: Mapping[str, str] | None = None,
    ) -> None:
        self._auto_reload = auto_reload
        with told(studies):
            super().__init__(studies, read_only=read_only, conf=conf)

    def name(self) -> str:
        return self._database.value("name", "VerteNet")

    def set_name(self, name: str) -> None:
        self._database.set_value("name", name)

    def description(self) -> str:
        return self._database.value("description", "Lateral spine images with landmark labels")

    def set_description(self, description: str) -> None:
        self._database.set_value("description", description)

    def list_images(self) -> list[str]:
        self._notice()
        return [entry.image_id for entry in self._images.entries()]

    def get_image(self, image_id: str, params: Any = None) -> io.BytesIO | None:
        path = self.get_image_uri(image_id)
        return io.BytesIO(Path(path).read_bytes()) if path else None

    def get_image_uri(self, image_id: str) -> str:
        """Path of the image's file; empty for an unknown id, as MONAI Label expects."""
        self._notice()
        entry = self._images.get(image_id)
        return str(self._images.path(entry)) if entry else ""

    def get_image_info(self, image_id: str) -> dict[str, Any]:
        self._notice()
        entry = self._images.get(image_id)
        return {**entry.info, "path": str(self._images.path(entry))} if entry else {}

    def update_image_info(self, image_id: str, info: dict[str, Any]) -> None:
        self._images.update_info(image_id, {name: value for name, value in info.items() if name != "path"})

    def add_image(self, image_id: str | None, image_filename: str, image_info: Mapping[str, Any]) -> str:
        """Copy an image file into the store, see `ImageIndex.add`; MONAI Label's way of naming it."""
        return self.add_image_file(image_id, Path(image_filename), Path(image_filename).name, image_info)

    def add_image_file(self, image_id: str | None, path: Path, file_name: str, info: Mapping[str, Any]) -> str:
        """The same for a file whose owner calls it ``file_name``."""
        self._refuse_if_read_only()
        return self._images.add(image_id, path, file_name, info or {})

    def remove_image(self, image_id: str) -> None:
        """Delete the image's file and end its labels; the history keeps them."""
        self._refuse_if_read_only()
        entry, who = self._images.require(image_id), annotator_of()
        tags = {revision.tag for revision in self._history.current(image_id)}
        with self._database.writing() as connection:
            for tag in tags:
                self._history.remove(connection, image_id, tag, who)
            self._images.remove(connection, entry)
        for tag in tags:
            self._files.write(image_id, tag)

    def save_label(self, image_id: str, label_filename: str, label_tag: str, label_info: Mapping[str, Any]) -> str:
        """Keep a label, as MONAI Label's endpoints hand it over; returns its id, which is the image's.

        What comes from a model is ``original``, whatever ``label_tag`` says.

        Raises
        ------
        ImageNotFoundException, OptionError, AnnotationError, ImageReadError
            As for `keep`.
        """
        info = dict(label_info or {})
        answer = info.pop("params", None) if "model" in info else None
        if not isinstance(answer, Mapping) or not isinstance(answer.get("model"), Mapping):
            self.submit(image_id, Path(label_filename).read_bytes(), label_tag, info)
            return image_id
        # From an inference with save_label: the whole answer comes along, but its model is what matters.
        model = {"sha256": answer["model"].get("sha256"), "version": answer.get("model_version")}
        self.submit(image_id, Path(label_filename).read_bytes(), ORIGINAL, model, action="proposed")
        return image_id

    def get_label(self, label_id: str, label_tag: str, params: Any = None) -> io.BytesIO | None:
        current = self.labels_of(label_id, label_tag)
        return io.BytesIO(self.content_of(label_id, current[-1].number)) if current else None

    def get_label_uri(self, label_id: str, label_tag: str) -> str:
        """Path of the newest label's file; empty where there is none, as MONAI Label expects."""
        current = self.labels_of(label_id, label_tag)
        return str(self.label_file(label_id, current[-1].tag)) if current else ""

    def get_labels_by_image_id(self, image_id: str) -> dict[str, str]:
        return {revision.tag: image_id for revision in self.labels_of(image_id)}

    def get_label_by_image_id(self, image_id: str, tag: str) -> str:
        return image_id if self.labels_of(image_id, tag) else ""

    def get_label_info(self, label_id: str, label_tag: str) -> dict[str, Any]:
        current = self.labels_of(label_id, label_tag)
        return self._label_info(current[-1]) if current else {}

    def update_label_info(self, label_id: str, label_tag: str, info: dict[str, Any]) -> None:
        current = self.labels_of(label_id, label_tag)
        if not current:
            raise LabelNotFoundException(f"There is no label {label_tag!r} of {label_id!r} here")
        self._history.update_info(label_id, current[-1].number, info)

    def remove_label(self, label_id: str, label_tag: str) -> None:
        self.end_labels(label_id, label_tag)

    def datalist(self) -> list[dict[str, Any]]:
        return [{"image": str(label.image_path), "label": str(label.label_path)} for label in self.final_labels()]

    def get_labeled_images(self, label_tag: str | None = None, labels: list[str] | None = None) -> list[str]:
        """Images with a label of this tag; by default with one that counts. A label of other pixels is none."""
        labelled = self._labelled(label_tag)
        return [image_id for image_id in self.list_images() if image_id in labelled]

    def get_unlabeled_images(self, label_tag: str | None = None, labels: list[str] | None = None) -> list[str]:
        labelled = self._labelled(label_tag)
        return [image_id for image_id in self.list_images() if image_id not in labelled]

    def status(self) -> dict[str, Any]:
        tags: dict[str, set[str]] = {}
        for revision in self._history.current():
            tags.setdefault(revision.tag, set()).add(revision.image_id)
        return {
            "store": self.identity,
            "total": len(self.list_images()),
            "completed": len(self.get_labeled_images()),
            "label_tags": {tag: len(images) for tag, images in tags.items()},
            "images_changed": len({revision.image_id for revision in self.outdated_labels()}),
            **self._told(),
        }

    def json(self) -> dict[str, Any]:
        """The form of MONAI Label's index, which its clients read."""
        self._notice()
        objects = {
            entry.image_id: {"image": {"ext": split_name(entry.file)[1], "info": dict(entry.info)}, "labels": {}}
            for entry in self._images.entries()
        }
        for revision in self._history.current():
            if revision.image_id in objects:
                described = {"ext": LABEL_EXTENSION, "info": self._label_info(revision)}
                objects[revision.image_id]["labels"][revision.tag] = described
        return {
            "name": self.name(),
            "description": self.description(),
            "images_dir": ".",
            "labels_dir": FOLDER,
            "objects": objects,
            **self._told(),
        }

    def _told(self) -> dict[str, Any]:
        """What a person should know of the folder, for answers about it; mostly nothing."""
        not_served = self._images.not_served()
        return {"not_served": not_served} if not_served else {}

    def get_dataset_archive(self, limit_cases: int | None) -> str:
        """A temporary zip of the labelled images, see `write_archive`; the caller deletes it.

        Raises
        ------
        LabelNotFoundException
            No image is labelled yet.
        """
        labels = self.final_labels()
        if not labels:
            raise LabelNotFoundException("No image has a final label yet, so there is no dataset")
        labels = labels[:limit_cases] if limit_cases and limit_cases > 0 else labels
        return str(write_archive([self._archived(label) for label in labels]))

    def _label_info(self, revision: Revision) -> dict[str, Any]:
        return {
            **self._history.info(revision.image_id, revision.number),
            "ts": revision.timestamp,
            "name": f"{revision.image_id}{LABEL_EXTENSION}",
            "annotator": revision.annotator,
            "revision": revision.number,
            "model_sha256": revision.model_sha256,
            "image_changed": self.is_outdated(revision),
        }

    def _labelled(self, tag: str | None) -> set[str]:
        wanted = getattr(tag, "value", tag)
        return {r.image_id for r in self._of_these_pixels() if (r.is_truth if tag is None else r.tag == wanted)}

    def _notice(self) -> None:
        if self._auto_reload:
            self._images.scan(if_changed=True)

    def _archived(self, label: FinalLabel) -> ArchivedCase:
        history = tuple(self.revisions(label.image_id))
        revision = history[label.revision - 1]
        facts = self._facts(label.image_id)
        person = facts.person or label.image_id
        reading = self.reading_of(label.image_id, label.revision)
        return ArchivedCase(
            label.image_path,
            facts,
            person,
            self.spine_of(revision),
            revision,
            history,
            None if reading is None else json.loads(reading),
        )
