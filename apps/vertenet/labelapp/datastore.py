"""The folder of images that the app works on."""

from __future__ import annotations

import logging
import os
import time

from monailabel.datastore.local import DataModel, ImageLabelModel, LocalDatastore

from vertenet.errors import SchemaError

logger = logging.getLogger(__name__)

#: Endings of the files that count as images, longest first where one ends with another.
IMAGE_EXTENSIONS = (".nii.gz", ".nii", ".nrrd", ".mha", ".dcm", ".png", ".jpg", ".jpeg", ".tif", ".tiff")
LABEL_EXTENSION = ".mrk.json"
INDEX = "datastore_v2.json"


class RadiographStore(LocalDatastore):
    """MONAI Label's local store for radiographs and landmark labels.

    What differs: the endings above, in either case; ids may hold dots (``1.2.840.113.dcm``); files that share a stem
    are all listed, the second under its full name; labels are Markups, and no other JSON is taken for anything.

    Raises
    ------
    SchemaError
        The folder's index is damaged.
    """

    def __init__(self, studies: str, *, auto_reload: bool = True, read_only: bool = False) -> None:
        patterns = [f"*{ending}" for ending in (*IMAGE_EXTENSIONS, LABEL_EXTENSION)]
        try:
            super().__init__(
                studies, extensions=patterns, auto_reload=auto_reload, read_only=read_only, datastore_config=INDEX
            )
        except ValueError as error:
            raise SchemaError(
                f"the datastore index is damaged ({type(error).__name__})",
                subject=os.path.join(studies, INDEX),
                remedy="Restore it from a backup; without it MONAI Label starts a new one from the files in the folder",
            ) from error

    def _to_id(self, file: str) -> tuple[str, str]:
        for ending in (LABEL_EXTENSION, *IMAGE_EXTENSIONS):
            if file.lower().endswith(ending):
                return file[: -len(ending)], file[-len(ending) :]
        return super()._to_id(file)

    def _list_files(self, path: str, patterns: list[str]) -> dict[str, str]:
        images = os.path.realpath(path) == os.path.realpath(self._datastore.image_path())
        endings = IMAGE_EXTENSIONS if images else (LABEL_EXTENSION,)
        files = sorted(entry.name for entry in os.scandir(path) if entry.is_file())
        return {name: name for name in files if name.lower().endswith(endings)}

    def _add_non_existing_images(self) -> int:
        self._init_from_datastore_file()
        known = {self._filename(image_id, entry.image.ext) for image_id, entry in self._datastore.objects.items()}
        added = 0
        for name in self._list_files(self._datastore.image_path(), self._extensions):
            if name in known:
                continue
            image_id, ending = self._to_id(name)
            if image_id in self._datastore.objects:
                logger.warning("%s shares its stem with another image: it is listed under its full name", name)
                image_id, ending = name, ""
            info = {"ts": int(time.time()), "name": name}
            self._datastore.objects[image_id] = ImageLabelModel(image=DataModel(info=info, ext=ending))
            added += 1
        return added
