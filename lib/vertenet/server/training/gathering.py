"""The labels that count, as cases to train on and to judge by."""

from __future__ import annotations

from dataclasses import dataclass

from monailabel.interfaces.datastore import Datastore

from vertenet.errors import OptionError, VerteNetError
from vertenet.imaging import read
from vertenet.imaging.fingerprint import pixels_sha256
from vertenet.imaging.identity import identity_of
from vertenet.learning.cases import UNKNOWN_SCANNER, Case

from .split import split


@dataclass(frozen=True)
class Gathered:
    """What the store has for a round.

    Attributes
    ----------
    learn, held : list of Case
        To train on, and of the frozen split.
    revisions : dict of str to int
        Image id to the number of the revision that was taken.
    problems : tuple of str
        A sentence for each label that could not be used.
    """

    learn: list[Case]
    held: list[Case]
    revisions: dict[str, int]
    problems: tuple[str, ...]

    def described(self) -> str:
        persons = len({case.person for case in self.learn})
        images = f"{len(self.learn)} annotated {'image' if len(self.learn) == 1 else 'images'}"
        return f"{images} of {persons} {'person' if persons == 1 else 'persons'}"


def gather(store: Datastore) -> Gathered:
    """Read every label that counts.

    Raises
    ------
    OptionError
        The store is not ours, or has no label of a patient who may be trained on.
    """
    if not hasattr(store, "final_labels"):
        raise OptionError(
            "labels of a remote store cannot be trained on", remedy="Serve a folder of images, or import them into one"
        )
    cases, revisions, problems = (
        [],
        {},
        [_replaced(r.image_id, r.number) for r in store.outdated_labels() if r.is_truth],
    )
    for label in store.final_labels():
        try:
            if label.pixels_sha256 not in (None, pixels_sha256(label.image_path)):
                problems.append(_replaced(label.image_id, label.revision))
                continue
            spine = store.spine_of(store.revisions(label.image_id)[label.revision - 1])
            read(label.image_path)
        except (VerteNetError, OSError) as error:
            problems.append(f"{label.image_id}: {getattr(error, 'problem', None) or error}")
            continue
        scanner = identity_of(label.image_path).scanner or UNKNOWN_SCANNER
        load = _Reader(label.image_path)
        cases.append(Case(label.image_id, store.person_of(label.image_id), scanner, spine, spine, load))
        revisions[label.image_id] = label.revision
    learn, held = split(cases)
    if not learn:
        raise OptionError(
            f"there is nothing to train on: {len(cases)} of the images have a usable final label, "
            f"and all of them belong to the frozen split",
            remedy="Label more images and submit them as final",
        )
    return Gathered(learn, held, revisions, tuple(problems))


def _replaced(image_id: str, revision: int) -> str:
    return f"{image_id}: the image was replaced after revision {revision} was made on it"


@dataclass(frozen=True)
class _Reader:
    """Reads the image when it is asked for: a store may hold more images than memory does."""

    path: object

    def __call__(self):
        return read(self.path)
