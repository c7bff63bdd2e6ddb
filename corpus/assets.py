"""Assets: models and word lists that stages load, found by name here, known by digest everywhere else.

The driver finds each asset once, copies it into the store under its sha256, and workers fetch it from there into a
local cache: a worker on another machine needs nothing but the store.
"""

import os
import sys
import tempfile
from pathlib import Path

from corpus.errors import InputError, RecipeError
from corpus.identity import sha256
from corpus.store import Blobs, is_local
from corpus.tokenizer_file import asset, model_in


def search_path(near: Path | None = None) -> list[Path]:
    """Folders looked through: $CORPUS_ASSETS, the manifest's folder and its parent, the working folder, and
    `share/corpus/assets` of the Python environment."""
    folders = [Path(p) for p in os.environ.get("CORPUS_ASSETS", "").split(os.pathsep) if p]
    if near is not None:
        folders += [near, near.parent]
    return [*folders, Path.cwd(), Path(sys.prefix) / "share" / "corpus" / "assets"]


def find(name: str, near: Path | None = None) -> Path:
    """The file of an asset. A folder (a tokenizer) stands for the model in it."""
    for folder in search_path(near):
        path = folder / name
        inside = model_in(path) if path.is_dir() else None
        if inside is not None:
            return inside
        if path.is_file():
            return path
    remedy = "python scripts/fetch_lid.py fetches it" if name.startswith("lid.") else "set CORPUS_ASSETS to its folder"
    tried = ", ".join(str(folder) for folder in search_path(near))
    raise InputError(f"asset `{name}` was not found (looked in {tried}). Remedy: {remedy}.")


def digest_of(path: Path) -> str:
    """sha256 of what the asset at `path` consists of: its bytes, of some tokenizers more."""
    return sha256(asset(path))


def install(store: Blobs, path: Path) -> str:
    """Put an asset into the store. -> its sha256."""
    data = asset(path)
    digest = sha256(data)
    if not store.exists(f"assets/{digest}"):
        store.put(f"assets/{digest}", data)
    return digest


def fetch(store: Blobs, digest: str) -> Path:
    """A local file with the content of an asset, checked against its digest."""
    folder = Path(tempfile.gettempdir()) / f"corpus-assets-{os.getuid()}"
    path = folder / digest
    if path.is_file() and sha256(path.read_bytes()) == digest:
        return path
    data = store.get(f"assets/{digest}")
    if sha256(data) != digest:
        raise InputError(
            f"{store.url('assets/' + digest)}: its content does not have that sha256. Remove it and build again."
        )
    folder.mkdir(mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(temporary, path)
    return path


def place_of(name: str, near: Path) -> str:
    """Where a build directory named in a manifest is: relative names are taken from the manifest's folder."""
    return name if "://" in name or not is_local(name) else str((near / name).resolve())


def root_digest(place: str) -> str:
    """Digest of the sealed manifest in a build directory. RecipeError where there is none."""
    try:
        return Blobs(place).get("manifest.sha256").decode().strip()
    except FileNotFoundError:
        raise RecipeError(f"against: {place}: no sealed build here. Run `corpus build` there to its end.") from None
