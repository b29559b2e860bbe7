"""The REST API of a VerteNet server (docs/server.md), as `interfaces.Server`."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

from vertenet.annotation import markups
from vertenet.errors import SchemaError, VerteNetError
from vertenet.files import beside
from vertenet.measure.aac import Aac24
from vertenet.reading import Reading

from .answers import (
    Comparison,
    Consensus,
    ModelVersion,
    OtherReading,
    Proposal,
    Receipt,
    Sample,
    ServerInfo,
    Submission,
    TrainingProgress,
)
from .connection import Connection
from .failures import FailureKind, ServerError
from .i18n import _
from .interfaces import Progress
from .multipart import FileForm
from .transport import Transport, chunks, malformed, printable, remedy_of

#: The one model of the app.
MODEL = "vertenet"
INFER_S = 300.0
UPLOAD_S = 120.0
#: Endings of images that the server keeps; the longest first where one ends with another.
ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha", ".dcm", ".png", ".jpg", ".jpeg", ".tif", ".tiff")
#: Tags of labels that count as somebody's reading, and of what several readings became.
COUNTED, CONSENSUS = frozenset({"final", "reviewed"}), "consensus"
#: Of an offered image, what is the server's own business.
_NOT_SCORES = frozenset({"id", "path", "ts", "name", "ids"})
_FILE_NAME = re.compile(r"filename\*?=(?:utf-8'[^']*')?\"?([^\";]+)", re.IGNORECASE)


class Client:
    """A label server over HTTP. Every method blocks and raises `ServerError`; any thread may call it.

    Parameters
    ----------
    connection : Connection
    haste : float
        Timeouts are divided by it.
    """

    def __init__(self, connection: Connection, haste: float = 1.0) -> None:
        self.connection = connection
        self._http = Transport(connection, haste)
        #: Whether the server has all that ours have, see `ServerInfo.complete`; known after `info`.
        self._complete = True

    def info(self) -> ServerInfo:
        """Who answers; the first answer says whom all later requests are for.

        `FailureKind.WRONG_APP` where it is no server of this app, `FailureKind.MISDIRECTED` where it is not the store
        that answered first.
        """
        url = self.connection.url
        try:
            answer = self._http.ask("GET", "/info/")
        except ServerError as error:
            if error.kind is not FailureKind.OLD_VERSION:
                raise
            answer = None
        if not isinstance(answer, dict) or not isinstance(answer.get("models"), dict):
            raise ServerError(
                FailureKind.WRONG_APP,
                _("{url} is no MONAI Label server").format(url=url),
                remedy=_("Check the address and the port"),
            )
        model = answer["models"].get(MODEL)
        if not isinstance(model, dict):
            name = printable(str(answer.get("name", "")), 80)
            raise ServerError(
                FailureKind.WRONG_APP,
                _("{url} serves the app '{name}', not VerteNet").format(url=url, name=name),
                remedy=_("Check the address, or start the server with: vertenet serve"),
            )
        if "landmarks" not in model:
            raise ServerError(
                FailureKind.OLD_VERSION,
                _("{url} runs a version of VerteNet that is too old for this module").format(url=url),
                remedy=_("Ask who runs the server to install the present version"),
            )
        versions = self._versions_if_any()
        self._complete = versions is not None
        served = next((version for version in versions or () if version.served), None)
        with _reading_answer():
            counts = answer.get("datastore") or {}
            store = str(counts.get("store") or "")
            self._meet(store)
            return ServerInfo(
                name=str(answer["name"]),
                version=str(answer["version"]),
                strategies=tuple(answer.get("strategies") or ()),
                labelled=int(counts.get("completed", 0)),
                total=int(counts.get("total", 0)),
                trains=MODEL in (answer.get("trainers") or {}),
                sha256=str(model.get("model_sha256", "")),
                model_version=str(model.get("model_version", "")),
                synthetic_only=served is not None and served.synthetic_only,
                complete=self._complete,
                store=store,
            )

    def next_sample(self, strategy: str) -> Optional[Sample]:
        """The image to annotate next, leased to this annotator; None where all are done or put aside."""
        answer = self._http.ask("POST", f"/activelearning/{strategy}", json_body=self._signed({}))
        if not answer:
            return None
        with _reading_answer():
            scores = {name: value for name, value in answer.items() if name not in _NOT_SCORES}
            return Sample(str(answer["id"]), scores)

    def fetch_image(self, image_id: str, folder: Path, progress: Optional[Progress] = None) -> Path:
        """Download an image; the file keeps the server's ending and appears when it is whole."""
        with self._http.open("GET", "/datastore/image", params={"image": image_id}, read_s=60.0) as response:
            match = _FILE_NAME.search(response.headers.get("Content-Disposition", ""))
            served_name = match[1].strip().lower() if match else ""
            ending = next((ending for ending in ENDINGS if served_name.endswith(ending)), "")
            if not ending:
                raise malformed(_("it does not say which kind of image file it is"))
            path = folder / f"{file_stem(image_id)}{ending}"
            with beside(path) as temporary, temporary.open("wb") as file:
                for chunk in chunks(response, _("Fetching {image}").format(image=image_id), progress):
                    file.write(chunk)
        return path

    def infer(
        self, image_id: str, parameters: Mapping[str, Any], size: Optional[tuple[int, int]] = None, sha256: str = ""
    ) -> Proposal:
        """What the model says of an image; ``size`` is (rows, columns) of the image on the screen, where there is one,
        and ``sha256`` that of its file. Not every server says which file it looked at.

        `FailureKind.WRONG_IMAGE` where the answer is of another image.
        """
        answer = self._http.ask(
            "POST",
            f"/infer/{MODEL}",
            params={"image": image_id, "output": "json"},
            form={"params": json.dumps(self._signed(parameters))},
            read_s=INFER_S,
        )
        if not isinstance(answer, dict):
            raise malformed(_("it is no reading"))
        try:
            reading = Reading.from_dict(answer)
        except SchemaError as error:
            raise malformed(error.problem) from error
        actual = reading.image.rows, reading.image.columns
        other_file = bool(sha256) and answer.get("image_sha256", sha256) != sha256
        if other_file or not _is_of(reading.image.name, image_id) or (size is not None and actual != size):
            raise ServerError(
                FailureKind.WRONG_IMAGE,
                _("The server answered for another image, {other} of {columns} x {rows} pixels").format(
                    other=reading.image.name, columns=actual[1], rows=actual[0]
                ),
                subject=image_id,
                remedy=_("Nothing was taken from it; load the image again from the server"),
            )
        return Proposal(reading, str(answer.get("model_version") or ""))

    def upload(self, path: Path, image_id: Optional[str] = None, progress: Optional[Progress] = None) -> str:
        """Give the server an image file; its id there, ``image_id`` where one is given."""
        name = f"{image_id}{_ending(path)}" if image_id else path.name
        params = {"image": image_id} if image_id else None
        with FileForm("file", path, name, {"params": json.dumps(self._signed({}))}, progress) as form:
            kind = {"Content-Type": form.content_type}
            answer = self._http.ask("PUT", "/datastore/image", params=params, body=form, headers=kind, read_s=UPLOAD_S)
        with _reading_answer():
            return str(answer["image"])

    def submit(self, submission: Submission) -> Receipt:
        """Hand in a label. Sent again after an answer that got lost, it is kept once (``Receipt.repeated``).

        MONAI Label's own server knows neither submissions nor readings; it keeps the label alone, one for each tag.
        """
        said: dict[str, Any] = {"client_id": submission.annotator, "comment": submission.comment}
        if self._complete:
            said.update(submission=submission.submission_id, reading=submission.reading)
            said.update(image_sha256=submission.image_sha256)
        params = {key: value for key, value in said.items() if value}
        answer = self._http.ask(
            "PUT",
            "/datastore/label",
            params={"image": submission.image_id, "tag": submission.tag},
            form={"params": json.dumps(params)},
            files={"label": (f"{file_stem(submission.image_id)}.mrk.json", submission.markups.encode("utf-8"))},
            read_s=60.0,
        )
        with _reading_answer():
            # MONAI Label's own store numbers nothing.
            return Receipt(str(answer["image"]), int(answer.get("revision", 0)), answer.get("repeated") is True)

    def skip(self, image_id: str, reason: str) -> None:
        """Put an image aside; it is not offered to this annotator again."""
        if not self._complete:  # there "skip" would be the name of a strategy
            raise ServerError(
                FailureKind.OLD_VERSION,
                _("{url} cannot put images aside").format(url=self.connection.url),
                remedy=_("Start the server with: vertenet serve"),
            )
        body = self._signed({"image": image_id, "reason": reason})
        self._http.ask("POST", "/activelearning/skip", json_body=body)

    def next_second(self, known: Container[str]) -> Optional[Sample]:
        """An image that others have labelled and this annotator has not, and that nobody has settled yet."""
        answer, me = self._http.ask("GET", "/datastore/", params={"output": "all"}), self._name()
        with _reading_answer():
            labelled = {image: set(told.get("labels") or {}) for image, told in answer["objects"].items()}
        for image_id, tags in sorted(labelled.items()):
            if image_id in known or CONSENSUS in tags or not tags & COUNTED:
                continue
            if me not in current_readings(self.history(image_id)):
                return Sample(image_id)
        return None

    def comparison(self, image_id: str) -> Comparison:
        """What every annotator says of an image, and how far they lie apart by the server's count."""
        found = []
        for annotator, revision in current_readings(self.history(image_id)).items():
            asked = {"image": image_id, "number": revision["number"]}
            label = self._http.ask("GET", "/datastore/label/revision", params=asked)
            reading = self._http.ask("GET", "/datastore/label/reading", params=asked) if revision["has_reading"] else {}
            try:
                spine = markups.loads(json.dumps(label), subject=image_id)
                aac = Aac24.from_dict(reading["aac"]) if reading.get("aac") else Aac24()
            except VerteNetError as error:
                raise malformed(error.problem) from error
            found.append(OtherReading(annotator, int(revision["number"]), str(revision["tag"]), spine, aac))
        answer = self._http.ask("GET", "/datastore/agreement", params={"image": image_id})
        with _reading_answer():
            return Comparison(image_id, tuple(found), tuple(answer["pairs"]), self._name())

    def make_consensus(self, image_id: str) -> Consensus:
        """Let the server make one label out of the annotators'; it refuses where they name the levels differently."""
        answer = self._http.ask("POST", "/datastore/consensus", params={"image": image_id})
        with _reading_answer():
            return Consensus(image_id, int(answer["revision"]), tuple(answer["undecided"]))

    def _name(self) -> str:
        """Under which the server keeps this annotator's labels: the token's name where there is one."""
        if not self.connection.token:
            return self.connection.annotator
        answer = self._http.ask("GET", "/auth/token/valid")
        with _reading_answer():
            return str(answer["username"])

    def history(self, image_id: str) -> Sequence[Mapping[str, Any]]:
        """Every revision of an image's labels, oldest first."""
        answer = self._http.ask("GET", "/datastore/label/history", params={"image": image_id})
        with _reading_answer():
            return tuple(answer["revisions"])

    def start_training(self, options: Mapping[str, Any]) -> None:
        """Begin a round of retraining, see docs/retraining.md for its options."""
        self._http.ask("POST", f"/train/{MODEL}", json_body=dict(options))

    def stop_training(self) -> None:
        self._http.ask("DELETE", "/train/")

    def training(self) -> TrainingProgress:
        """How the latest round goes, or went."""
        answer = self._http.ask("GET", "/info/")
        with _reading_answer():
            state = (answer.get("train_stats") or {}).get(MODEL) or {}
            left = state.get("seconds_left")
            return TrainingProgress(
                state=str(state.get("state", "none")),
                phase=str(state.get("phase", "")),
                epoch=int(state.get("epoch", 0)),
                total_epochs=max(1, int(state.get("total_epochs", 1))),
                metric=float(state.get("best_metric") or 0.0),
                seconds_left=None if left is None else float(left),
                message=str(state.get("message", "")),
                published=state.get("published"),
                version=str(state.get("model_version") or ""),
                started=float(state.get("start_ts") or 0),
            )

    def versions(self) -> Sequence[ModelVersion]:
        """Versions of the model, oldest first."""
        answer = self._http.ask("GET", "/models/versions")
        with _reading_answer():
            return tuple(_version(row) for row in answer)

    def rollback(self, version: str) -> None:
        """Serve another version from now on; needs the role admin."""
        self._http.ask("POST", "/models/rollback", params={"version": version})

    def close(self) -> None:
        """Nothing stays open between requests."""

    def _meet(self, store: str) -> None:
        if self._http.store not in (None, store):
            raise ServerError(
                FailureKind.MISDIRECTED,
                _("Another folder of images than before is served at {url}").format(url=self.connection.url),
                remedy=remedy_of(FailureKind.MISDIRECTED),
            )
        self._http.store = store

    def _signed(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """With the name for leases and labels; a server with tokens takes the token's name instead."""
        name = self.connection.annotator
        return {**parameters, "client_id": name} if name else dict(parameters)

    def _versions_if_any(self) -> Optional[Sequence[ModelVersion]]:
        """None where the server has no such list."""
        try:
            return self.versions()
        except ServerError as error:
            if error.kind is FailureKind.OLD_VERSION:
                return None
            raise


def current_readings(revisions: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The newest final or reviewed label of each annotator, from an image's history, oldest first."""
    found: dict[str, Mapping[str, Any]] = {}
    for revision in revisions:
        if revision.get("tag") not in COUNTED:
            continue
        if revision.get("action") == "removed":
            found = {who: each for who, each in found.items() if each["tag"] != revision["tag"]}
        else:
            found[str(revision["annotator"])] = revision
    return found


@contextmanager
def _reading_answer() -> Iterator[None]:
    """An answer that lacks something, or holds another type: `FailureKind.MALFORMED`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = _("something in it is missing or of another kind ({error})").format(error=repr(error)[:80])
        raise malformed(why) from error


def _version(row: Mapping[str, Any]) -> ModelVersion:
    verdict = (row.get("gate") or {}).get("reason") or row.get("problem") or ""
    return ModelVersion(
        name=str(row["version"]),
        sha256=str(row.get("sha256", "")),
        served=bool(row.get("served")),
        created=str(row.get("created", "")),
        training_data=str(row.get("training_data", "")),
        synthetic_only=bool(row.get("synthetic_only")),
        verdict=str(verdict),
    )


def _is_of(name: str, image_id: str) -> bool:
    """Whether a file name in an answer is that of an image id: the id is the name without its ending, or the whole."""
    ending = next((ending for ending in ENDINGS if name.lower().endswith(ending)), "")
    return image_id in (name, name[: len(name) - len(ending)]) or image_id.startswith(f"{name}~")


def _ending(path: Path) -> str:
    return next((ending for ending in ENDINGS if path.name.lower().endswith(ending)), path.suffix)


def file_stem(image_id: str) -> str:
    """A name for files of an image that no id can lead out of the folder."""
    plain = re.sub(r"[^\w.@+=,() -]", "_", image_id).lstrip(". ")[:120]
    return plain or "image"
