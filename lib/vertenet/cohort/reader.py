"""What a worker does with one image: read it, find its landmarks, and give back a row and files. It writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from ..errors import ImageReadError, OptionError, VerteNetError
from ..imaging import read
from ..imaging.fingerprint import pixels_sha256
from ..measure import DEFAULT_FACTOR
from ..reading import Reading
from ..report.reading_page import reading_page
from ..report.tables import results_row
from ..report.thumbnail import thumbnail
from .attention import FAILED, attention, kind_of_problem
from .header import Header, header_of
from .items import Item
from .outputs import result_files

if TYPE_CHECKING:  # loads torch, which only a worker needs
    from ..inference import Predictor

Overlays = Literal["all", "flagged", "none"]


@dataclass(frozen=True)
class ReadingOptions:
    """How every image of a run is read; sent to every worker.

    Attributes
    ----------
    weights : str
        Path of the weight file.
    decoder, refine, device, runtime
        See `vertenet.inference.Predictor`.
    threads : int or None
        CPU threads of one worker.
    anterior, factor
        See `Predictor.__call__`.
    spacing : float or None
        Millimetres a pixel, overriding the files'.
    overlays : {"all", "flagged", "none"}
        Of which images the overlay is drawn; flagged are those of `vertenet.cohort.attention`.
    thumbnails : bool
    key : bytes
        Secret of the patients' pseudonyms; where it is empty there are none.
    scratch : str or None
        Folder for copies of what is not a file of its own; the system's where it is not there.
    """

    weights: str
    decoder: str = "levels"
    refine: bool | None = None
    anterior: str | None = None
    spacing: float | None = None
    factor: float = DEFAULT_FACTOR
    device: str = "cpu"
    runtime: str = "auto"
    threads: int | None = 1
    overlays: Overlays = "all"
    thumbnails: bool = True
    dicom: bool = False
    page: bool = False
    key: bytes = field(default=b"", repr=False)
    scratch: str | None = None


@dataclass(frozen=True)
class Job:
    """An image to read; ``place`` is where its results go, from the folder of all results, without an ending."""

    item: Item
    place: str


@dataclass(frozen=True)
class Outcome:
    """What became of an image.

    ``row`` is one of `vertenet.report.tables`; ``landmarks`` are rows of its long form (`LANDMARKS` without the path);
    ``files`` are contents by ending.
    """

    path: str
    place: str
    row: Mapping[str, object]
    landmarks: tuple[tuple[object, ...], ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return self.row["outcome"] == "failed"


class Reader(Protocol):
    """Reads one image; raises nothing that is the image's fault."""

    def __call__(self, job: Job) -> Outcome: ...


#: Makes a reader in a worker, and so must be importable there; raises VerteNetError where it cannot.
MakeReader = Callable[[ReadingOptions], Reader]


class ImageReader:
    """A model, loaded once, that reads images as the options say. Raises VerteNetError where it cannot be loaded."""

    def __init__(self, options: ReadingOptions) -> None:
        from ..inference import Predictor

        if options.device != "cpu":
            import torch

            if not torch.cuda.is_available():
                raise OptionError("a GPU is wanted and torch finds none", remedy="Use the device cpu")
        self.options = options
        self.predictor: Predictor = Predictor(
            Path(options.weights),
            decoder=options.decoder,
            threads=options.threads,
            device=options.device,
            refine=options.refine,
            runtime=options.runtime,
        )
        scratch = options.scratch
        self.scratch = Path(scratch) if scratch and Path(scratch).is_dir() else None

    def __call__(self, job: Job) -> Outcome:
        """Read one image; whatever is wrong with it is in the outcome, and nothing is raised."""
        header = Header()
        try:
            with job.item.file(self.scratch) as path:
                header = header_of(path, self.options.key)
                return self._read(job, path, header)
        except VerteNetError as error:
            return failure(job, error.problem, remedy=error.remedy, header=header)
        except MemoryError:
            return failure(job, "the image does not fit into memory", header=header)
        except OSError as error:
            return failure(job, f"the file cannot be read ({error.strerror or type(error).__name__})", header=header)
        # One image among thousands that shows a fault of ours must not end the rest; its row says which fault.
        except Exception as error:
            problem = f"the program has a fault with this image ({type(error).__name__}: {str(error)[:200]})"
            return failure(job, problem, remedy="Please report it", header=header)

    def _read(self, job: Job, path: Path, header: Header) -> Outcome:
        options = self.options
        if options.dicom:
            from ..report.dicom import dicom_results, image_header  # highdicom takes a second to load

            image_header(path)  # what cannot have the results that were asked for is not read at all
        radiograph = read(path, spacing=options.spacing)
        reading = self.predictor(radiograph, anterior=options.anterior, factor=options.factor)
        asks = attention(reading)
        wanted = options.overlays == "all" or (options.overlays == "flagged" and asks is not None)
        files = result_files(radiograph, reading, pixels=pixels_sha256(path), overlay=wanted)
        if options.dicom:
            files |= dicom_results(path, reading)
        if options.page:
            files |= reading_page(radiograph, reading, overlay=files.get(".overlay.png"))
        if options.thumbnails:
            files[".thumbnail.jpg"] = thumbnail(radiograph, reading)
        refusal = reading.quality.reasons if asks is not None and asks.reason == "refused" else ()
        known = {
            "path": job.item.path,
            "results": job.place,
            "reason": kind_of_problem("; ".join(refusal)) or None,
            "look_first": None if asks is None else asks.reason,
            "look_first_rank": None if asks is None else asks.rank,
            **header.cells(),
        }
        row = results_row(reading, name=job.item.name, **known)
        return Outcome(job.item.path, job.place, row, tuple(_landmarks(reading)), files)


def failure(job: Job, problem: str, *, remedy: str | None = None, header: Header | None = None) -> Outcome:
    """The outcome of an image that could not be read."""
    known = {
        "path": job.item.path,
        "reason": kind_of_problem(problem),
        "look_first": FAILED.reason,
        "look_first_rank": FAILED.rank,
        **(header or Header()).cells(),
    }
    sentence = ImageReadError(problem, subject=job.item.path, remedy=remedy).sentence
    return Outcome(job.item.path, job.place, results_row(None, name=job.item.name, error=sentence, **known))


def _landmarks(reading: Reading):
    for vertebra in reading.spine:
        for name, corner in vertebra.points.items():
            at = (corner.x, corner.y, corner.confidence, corner.radius) if corner.is_present else (None,) * 4
            yield (str(vertebra.level), str(name), corner.status.value, *map(_plain, at))


def _plain(value: object) -> float | None:
    return None if value is None else float(value)
