"""What the Extensions Index checks of a new extension, as far as that needs no network.

Its rules: https://github.com/Slicer/ExtensionsIndex (``scripts/check_description_files.py``, the schema of the catalog
entries and the list in the pull request's template). It asks the addresses themselves, and the repository's topic
``3d-slicer-extension``; nobody can do that before the repository is public.
"""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from .extension import Extension

SCHEMA = "https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/slicer-extension-catalog-entry-schema-v1.0."
#: Name in the catalog entry to its JSON type; others are refused.
ENTRY = {
    "$schema": str,
    "category": str,
    "scm_url": str,
    "scm_revision": str,
    "scm_type": str,
    "build_dependencies": list,
    "build_subdirectory": str,
    "enabled": bool,
    "tier": int,
}
REQUIRED = ("$schema", "category", "scm_url")
CATEGORY = "Active Learning"
LICENCES = ("LICENSE", "LICENCE", "License.txt", "license.txt", "LICENSE.txt", "COPYING", "COPYING.txt")
ICON_SIZE = (128, 128)
MOST_MEGABYTES = 100
MOST_DESCRIPTION = 300
_PNG = b"\x89PNG\r\n\x1a\n"
#: The checks of the Index find these with expressions on the text, variables not put in.
_PROJECT = re.compile(r"^\s*project\s*\(\s*\"?([^\s\")]+)", re.MULTILINE | re.IGNORECASE)
_LITERAL = r"^\s*set\s*\({name}\s+\"([^\"]+)\"\s*\)"
_RAW = re.compile(r"https://raw\.githubusercontent\.com/([\w.-]+/[\w.-]+)/([\w.-]+)/(.+)")


def check_catalog(extension: Extension) -> Iterator[str]:
    """The entry by its schema, and the names in it."""
    entry, where = extension.catalog, extension.relative(extension.catalog_path)
    if b"\r" in extension.catalog_path.read_bytes():
        yield f"{where} has carriage returns; the Index accepts lines that end with LF alone."
    for key in REQUIRED:
        if key not in entry:
            yield f"{where} lacks {key}."
    for key, value in entry.items():
        if key not in ENTRY:
            yield f"{where} has {key}, which the schema does not know."
        elif type(value) is not ENTRY[key]:
            yield f"{where}: {key} is {value!r}, but the schema asks for {ENTRY[key].__name__}."
    if not str(entry.get("$schema", SCHEMA)).startswith(SCHEMA):
        yield f"{where} names the schema {entry['$schema']}, which is none of the Index's 1.0."
    if entry.get("category") != CATEGORY:
        yield f"{where} has the category {entry.get('category')!r}; this extension belongs to {CATEGORY!r}."
    if isinstance(entry.get("tier", 1), int) and not 1 <= entry.get("tier", 1) <= 5:
        yield f"{where} has the tier {entry['tier']}; the Index knows 1 to 5."
    url = urlsplit(str(entry.get("scm_url", "")))
    if url.scheme not in ("https", "git") or not url.netloc:
        yield f"{where}: scm_url {entry.get('scm_url')!r} is no address with https or git."
    elif not Path(url.path).stem.startswith("Slicer"):
        yield f"{where}: the repository {Path(url.path).stem} has a name that does not begin with Slicer."
    if extension.name.lower().startswith("slicer"):
        yield f"The extension is called {extension.name}; only its repository's name may begin with Slicer."


def check_top_file(extension: Extension) -> Iterator[str]:
    """The variables in ``CMakeLists.txt`` of the repository."""
    text = extension.top.path.read_text(encoding="utf-8")
    variables, where = extension.top.variables, "CMakeLists.txt"
    project = _PROJECT.search(text)
    if project is None or project[1] != extension.name:
        found = "no project" if project is None else f"the project {project[1]}"
        yield f"{where} names {found}, but the catalog entry is {extension.name}.json."
    for variable in ("HOMEPAGE", "CONTRIBUTORS", "DESCRIPTION", "ICONURL", "SCREENSHOTURLS", "DEPENDS"):
        if not variables.get(f"EXTENSION_{variable}"):
            yield f"{where} sets no EXTENSION_{variable}."
    if variables.get("EXTENSION_CATEGORY") != extension.catalog.get("category"):
        yield f"{where} and the catalog entry name different categories."
    depends = variables.get("EXTENSION_DEPENDS", "NA").split()
    if [name for name in depends if name != "NA"] != extension.catalog.get("build_dependencies", []):
        yield f"{where} and the catalog entry name different dependencies."
    description = variables.get("EXTENSION_DESCRIPTION", "")
    sentences = [part for part in re.split(r"(?<=[.!?])\s+", description.strip()) if part]
    if len(description) > MOST_DESCRIPTION or not 1 <= len(sentences) <= 2:
        yield (
            f"EXTENSION_DESCRIPTION has {len(sentences)} sentences and {len(description)} characters; one or two "
            f"sentences and at most {MOST_DESCRIPTION} characters are wanted."
        )
    repository = str(extension.catalog.get("scm_url", "")).removesuffix(".git")
    if variables.get("EXTENSION_HOMEPAGE") != repository:
        yield f"EXTENSION_HOMEPAGE is not {repository}, the repository of the catalog entry."
    for command in ("find_package", "include", "add_subdirectory"):
        if not extension.top.called(command):
            yield f"{where} has no {command}: nothing would be built."


def check_pictures(extension: Extension) -> Iterator[str]:
    """The addresses of icon and screenshots, and the files that they will show once the repository is public."""
    text = extension.top.path.read_text(encoding="utf-8")
    owner = urlsplit(str(extension.catalog.get("scm_url", ""))).path.strip("/").removesuffix(".git")
    branch = extension.catalog.get("scm_revision")
    for variable in ("EXTENSION_ICONURL", "EXTENSION_SCREENSHOTURLS"):
        literal = re.search(_LITERAL.format(name=variable), text, re.MULTILINE)
        if literal is None or "${" in literal[1]:
            yield f"{variable} is not written out between quotes; the Index reads the text and puts no variables in."
            continue
        for url in literal[1].split():
            parts = _RAW.fullmatch(url)
            if parts is None:
                yield f"{url} is not the address of a raw file on GitHub; a page about the file shows no picture."
            elif (parts[1], parts[2]) != (owner, branch):
                yield f"{url} is in {parts[1]} at {parts[2]}, but the catalog entry names {owner} at {branch}."
            else:
                picture = extension.root / parts[3]
                yield from _picture_faults(picture, parts[3], ICON_SIZE if variable == "EXTENSION_ICONURL" else None)


def check_licence(extension: Extension) -> Iterator[str]:
    """A licence in the root, packaged, and named on the homepage."""
    found = [name for name in LICENCES if (extension.root / name).is_file()]
    if not found:
        yield f"The repository's root has no licence file; the Index looks for {', '.join(LICENCES)}."
    for variable in ("EXTENSION_LICENSE_FILE", "EXTENSION_README_FILE"):
        named = Path(extension.top.variables.get(variable, "") or extension.root)
        if not named.is_file():
            yield f"{variable} names no file of the repository."
    readme = extension.root / "README.md"
    homepage = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    for what, pattern in (("name", extension.name), ("licence", "Apache-2.0"), ("picture", r"!\[.*\]\(.+\.png\)")):
        if not re.search(pattern, homepage):
            yield f"The homepage README.md does not show the extension's {what}."


def check_size(extension: Extension) -> Iterator[str]:
    """The Index weighs a clone of depth 1, in which a file is there twice: as it is and, compressed, under ``.git``."""
    megabytes = 2 * sum(path.stat().st_size for path in _versioned(extension.root)) / 2**20
    if megabytes > MOST_MEGABYTES:
        yield f"A clone of the repository may reach {megabytes:.0f} MB; the Index accepts {MOST_MEGABYTES} MB."


def _versioned(root: Path) -> list[Path]:
    if not (root / ".git").exists():
        return [path for path in root.rglob("*") if path.is_file()]
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    return [root / name for name in listed if name and (root / name).is_file()]


def _picture_faults(path: Path, name: str, size: tuple[int, int] | None) -> Iterator[str]:
    if not path.is_file():
        yield f"{name} is shown in the catalog, but there is no such file."
        return
    head = path.read_bytes()[:24]
    if not head.startswith(_PNG) or len(head) < 24:
        yield f"{name} is not a PNG picture."
    elif size is not None and (found := struct.unpack(">II", head[16:24])) != size:
        yield f"{name} has {found[0]}x{found[1]} pixels; an icon has {size[0]}x{size[1]}."
