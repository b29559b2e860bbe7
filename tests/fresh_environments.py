"""Fresh environments, one for each extra: what the extra promises works, and what it lacks is named in one sentence.

    python -m tests.fresh_environments                      # packages linked from the environment that runs this
    python -m tests.fresh_environments --download cli all   # as pip resolves and fetches them, for these extras alone

Linked environments hold exactly what the extra asks for, in the versions at hand, and need no network.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[1]
IMAGES = ("02-clean-4500a-dicom.dcm", "06-cropped-white.png")
#: What a wheel is made of, beside the folder lib.
BUILT_FROM = ("pyproject.toml", "setup.py", "README.md", "LICENSE")


@dataclass(frozen=True)
class Promise:
    """A command of an environment, its exit code, and words that it says.

    ``program`` is "python" or "vertenet"; ``words`` may name ``a.dcm``, ``b.png`` and ``b.mrk.json``, its landmarks.
    """

    program: str
    words: tuple[str, ...]
    code: int = 0
    said: str = ""


def lacks(extra: str, *words: str) -> Promise:
    return Promise("vertenet", words, 2, f"pip install 'vertenet[{extra}]'")


_READ = "from vertenet.imaging import read; print([read(p).pixels.shape for p in ('a.dcm', 'b.png')])"
_PREDICT = """
from vertenet.imaging import read
from vertenet.inference import Predictor
predictor = Predictor()
print(*(predictor(read(image)).model.name for image in ('a.dcm', 'b.png')))
"""
_LIGHT = "from vertenet import annotation, assess, measure, reading, spine; print(spine.STANDARD_LEVELS)"
_SERVE = """
import sys, time, httpx
from vertenet.server.background import BackgroundServer
with BackgroundServer([sys.executable, '-m', 'vertenet', 'serve', '--studies', '.', '--port', '0']) as server:
    for image in ('a', 'b'):
        answer = httpx.post(f'{server.url}/infer/vertenet', params={'image': image, 'output': 'json'}, timeout=300)
        print(image, answer.status_code, len(answer.json()['landmarks']))
    httpx.post(f'{server.url}/batch/infer/vertenet', json={}, timeout=60).raise_for_status()
    while (task := httpx.get(f'{server.url}/batch/infer', timeout=60).json())['status'] in ('SUBMITTED', 'RUNNING'):
        time.sleep(1)
    print('batch', task['status'])
"""
_SEND = """
from pathlib import Path
from vertenet.pacs import parse_destination, send
from vertenet.report import dicom
print(*(sent.state for sent in send([Path('a.dcm')], parse_destination('http://127.0.0.1:9'), timeout_s=2)))
"""
_TRAIN = ("train", "--phantoms", "4", "--steps", "1", "--out", "run", "--recipe", "vertenet-lite-cpu")
VERSION = Promise("vertenet", ("--version",), 0, "vertenet ")
PREDICT = Promise("vertenet", ("predict", "a.dcm", "b.png", "--out", "read"), 0, "b.png")
SERVE = Promise("python", ("-c", _SERVE), 0, "a 200 24\nb 200 24\nbatch DONE")
PLAN = ("plan-agreement", "--kappa", "0.7", "--width", "0.4", "--simulations", "100")
NO_SERVER = lacks("server", "serve", "--studies", ".")
#: Extra to what holds where it alone is installed.
PROMISES: dict[str, tuple[Promise, ...]] = {
    "": (Promise("python", ("-c", _LIGHT), 0, "T12"), lacks("cli", "--help")),
    "imaging": (Promise("python", ("-c", _READ), 0, "), ("), lacks("cli", "--help")),
    "cli": (
        VERSION,
        Promise("python", ("-m", "vertenet", "--version"), 0, "vertenet "),
        Promise("vertenet", ("phantom", "--count", "2", "--out", "drawn")),
        Promise("vertenet", ("measure", "--image", "b.png", "--landmarks", "b.mrk.json", "--out", "m"), 0, "L4/L5"),
        lacks("network", "predict", "a.dcm", "--out", "read"),
        NO_SERVER,
        lacks("study", *PLAN),
    ),
    "network": (Promise("python", ("-c", _PREDICT), 0, "vertenet-lite vertenet-lite"), lacks("cli", "predict")),
    "cli,network": (PREDICT, lacks("study", *_TRAIN), NO_SERVER),
    "study": (PREDICT, Promise("vertenet", PLAN), Promise("vertenet", _TRAIN), NO_SERVER),
    "dicom": (Promise("python", ("-c", _SEND), 0, "not sent"), NO_SERVER),
    "server": (PREDICT, SERVE),
    "all": (VERSION, PREDICT, SERVE),
}


def build_wheel(folder: Path) -> Path:
    """The wheel of the working tree, built from a copy: the tree gets no build folder."""
    copy = folder / "source"
    copy.mkdir(parents=True)
    for name in BUILT_FROM:
        shutil.copy(REPOSITORY / name, copy / name)
    shutil.copytree(REPOSITORY / "lib", copy / "lib", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(copy)], check=True, timeout=600)
    return next(folder.glob("vertenet-*.whl"))


def needed(distribution: metadata.Distribution, extras: Sequence[str]) -> set[str]:
    """Canonical names of everything that a distribution asks for with some extras, and what that asks for in turn."""
    wanted, found = [(distribution, extra) for extra in ("", *extras)], set()
    seen = set()
    while wanted:
        asking, extra = wanted.pop()
        if (asking.metadata["Name"], extra) in seen:
            continue
        seen.add((asking.metadata["Name"], extra))
        for words in asking.requires or ():
            requirement = Requirement(words)
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
                continue
            if canonicalize_name(requirement.name) == "vertenet":
                asked = distribution
            else:
                found.add(canonicalize_name(requirement.name))
                asked = metadata.distribution(requirement.name)
            wanted += [(asked, further) for further in ("", *requirement.extras)]
    return found


class Environment:
    """A virtual environment in ``folder`` with the wheel and what its extra asks for, and nothing else."""

    def __init__(self, folder: Path, wheel: Path, extra: str, *, download: bool = False) -> None:
        self.folder = folder
        venv.create(folder, symlinks=os.name != "nt", with_pip=False)
        self.binaries = folder / ("Scripts" if os.name == "nt" else "bin")
        self.packages = Path(self._asked("import sysconfig; print(sysconfig.get_path('purelib'))"))
        pip = [sys.executable, "-m", "pip", "--python", str(self.binaries / "python"), "install", "--quiet"]
        target = f"vertenet[{extra}] @ {wheel.as_uri()}" if extra else str(wheel)
        offline = [] if download else ["--no-deps", "--no-index"]
        subprocess.run([*pip, *offline, target], check=True, timeout=3600)
        if not download:
            self._link(extra.split(",") if extra else [])

    def run(self, program: str, *words: str, folder: Path, timeout: float = 900) -> subprocess.CompletedProcess:
        environment = {name: text for name, text in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
        # Not the machine's own place for sessions of uploads.
        environment["MONAI_LABEL_SESSION_PATH"] = str(folder / "sessions")
        command = [str(self.binaries / program), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=folder, env=environment)

    def _asked(self, code: str) -> str:
        done = subprocess.run([self.binaries / "python", "-c", code], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def _link(self, extras: Sequence[str]) -> None:
        ours = next(iter(metadata.distributions(name="vertenet", path=[str(self.packages)])))
        for name in sorted(needed(ours, extras)):
            distribution = metadata.distribution(name)
            tops = {path.parts[0] for path in distribution.files or () if path.parts[0] not in ("..", "__pycache__")}
            for top in tops:
                source, target = Path(distribution.locate_file(top)), self.packages / top
                if source.exists() and not target.exists():
                    target.symlink_to(source)


def prepare(folder: Path) -> None:
    """Two images, the second with its true landmarks as Markups."""
    from vertenet.annotation import markups
    from vertenet.imaging import read
    from vertenet.phantom import PhantomTruth

    for name, image in zip("ab", IMAGES):
        source = REPOSITORY / "sample_data" / image
        shutil.copy(source, folder / f"{name}{source.suffix}")
    truth = PhantomTruth.from_json(source.with_suffix(".truth.json").read_text(encoding="utf-8"))
    text = markups.dumps(truth.spine, read(source).geometry, midpoints=True)
    (folder / "b.mrk.json").write_text(text, encoding="utf-8")


def broken(environment: Environment, extra: str, folder: Path) -> Iterator[str]:
    """A sentence for each promise of an extra that is not kept; ``folder`` is empty."""
    prepare(folder)
    for promise in PROMISES[extra]:
        done = environment.run(promise.program, *promise.words, folder=folder)
        said = done.stdout + done.stderr
        sentence = promise.code == 0 or len(done.stderr.strip().splitlines()) == 1
        if done.returncode != promise.code or promise.said not in said or not sentence:
            asked = " ".join((promise.program, *promise.words))
            wanted = f"{promise.code} and {promise.said!r}"
            yield f"[{extra}] {asked}: ended with {done.returncode}, not {wanted}\n{said[-3000:]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extras", nargs="*", default=[], help="such as cli or cli,network; default: all of them")
    parser.add_argument("--download", action="store_true", help="install with pip instead of linking what is here")
    arguments = parser.parse_args()
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        wheel = build_wheel(Path(folder, "wheel"))
        for number, extra in enumerate(arguments.extras or PROMISES):
            home = Path(folder, str(number))
            environment = Environment(home / "environment", wheel, extra, download=arguments.download)
            (home / "empty").mkdir()
            found = list(broken(environment, extra, home / "empty"))
            counts = f"{len(PROMISES[extra])} promises, {len(found)} broken"
            print(f"vertenet[{extra}]: {counts}", *found, sep="\n", flush=True)
            failed += found
            shutil.rmtree(home)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
