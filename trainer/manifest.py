"""The sealed build that training starts from: DIR/manifest.json, its digest, and the token shards it names.

The chain is manifest.sha256 -> manifest.json -> size and sha256 of every shard file. Only the fields that training
needs are read here; a build may say much more about itself.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from corpus.errors import InputError, RecipeError, VerifyError
from corpus.mixture import FORMAT as MIXTURE_FORMAT
from corpus.mixture import Mixed
from corpus.tokens import ShardReader

FORMAT = 1
_BLOCK_BYTES = 1 << 22


class File(msgspec.Struct, frozen=True):
    bytes: int
    sha256: str


class Shard(msgspec.Struct, frozen=True):
    """One .bin/.idx pair. `path` is the prefix of both, relative to the build directory."""

    source: str
    split: Literal["train", "heldout"]
    path: str
    documents: int
    tokens: int
    dtype: Literal["uint16", "int32"]
    bin: File
    idx: File


class Tokenizer(msgspec.Struct, frozen=True):
    name: str
    sha256: str
    vocab_size: int
    eod: int


class Table(msgspec.Struct, frozen=True):
    path: str
    bytes: int
    sha256: str


class Mixture(msgspec.Struct, frozen=True):
    """Where the table of the mixture lies, relative to the build directory."""

    table: Table


class Manifest(msgspec.Struct, frozen=True):
    format: int
    name: str
    seed: int
    tokenizer: Tokenizer
    mixture: Mixture
    shards: list[Shard]


class Build(msgspec.Struct, frozen=True):
    """A build whose manifest is what was sealed. `digest` is the sha256 of manifest.json, in hex; `mixture` says how
    often each source is read."""

    directory: Path
    digest: str
    manifest: Manifest
    mixture: Mixed

    @property
    def sources(self) -> list[str]:
        """Names of the sources that have training shards, in the order of the manifest."""
        return list(dict.fromkeys(shard.source for shard in self.manifest.shards if shard.split == "train"))

    def prefix(self, shard: Shard) -> Path:
        return self.directory / shard.path

    def train_shards(self, source: str) -> list[Shard]:
        return [shard for shard in self.manifest.shards if shard.split == "train" and shard.source == source]

    def read(self, shard: Shard) -> ShardReader:
        """The shard, mapped; VerifyError when its own header disagrees with the manifest."""
        reader = ShardReader(self.prefix(shard))
        got = (len(reader), reader.total_tokens, "uint16" if reader.dtype.itemsize == 2 else "int32")
        if got != (shard.documents, shard.tokens, shard.dtype):
            raise VerifyError(
                f"{reader.prefix}.idx: expected {shard.documents} documents, {shard.tokens} tokens of {shard.dtype}, "
                f"got {got[0]}, {got[1]} of {got[2]}; {_remedy(self.directory)}"
            )
        return reader


def open_build(directory: Path) -> Build:
    """Read the manifest and check it, and the presence and size of every training file, without reading a token.

    InputError: not a build directory. VerifyError: something differs from what was sealed.
    """
    path, seal = directory / "manifest.json", directory / "manifest.sha256"
    try:
        data, sealed = path.read_bytes(), seal.read_bytes()
    except OSError as error:
        raise InputError(
            f"{error.filename}: cannot be read ({error.strerror}); expected a finished build, made by `corpus build`"
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    expected = sealed.decode("ascii", "replace").strip()
    if digest != expected:
        raise VerifyError(
            f"{path}: expected sha256 {expected!r} (from {seal.name}), got {digest}; {_remedy(directory)}"
        )
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError as error:
        raise VerifyError(f"{path}: {error}; was it written by another version? {_remedy(directory)}") from error
    if manifest.format != FORMAT:
        raise VerifyError(f"{path}: expected format {FORMAT}, got {manifest.format}; this trainer is older or newer")
    for place in (manifest.mixture.table.path, *(shard.path for shard in manifest.shards)):
        inside = PurePosixPath(place)
        if inside.is_absolute() or ".." in inside.parts:
            raise VerifyError(f"{path}: path {place!r} leaves the build directory; {_remedy(directory)}")
    build = Build(directory, digest, manifest, _mixture(directory, manifest.mixture.table))
    for file_path, file in files(build):
        if not file_path.is_file():
            raise VerifyError(f"{file_path}: expected {file.bytes} bytes, got no such file; {_remedy(directory)}")
        size = file_path.stat().st_size
        if size != file.bytes:
            raise VerifyError(f"{file_path}: expected {file.bytes} bytes, got {size}; {_remedy(directory)}")
    if not build.sources:
        raise InputError(f"{path}: no shard with split `train`; did every document of the build get dropped?")
    return build


def _mixture(directory: Path, table: Table) -> Mixed:
    """The table of the mixture, checked against its digest."""
    path = directory / table.path
    if (digest := file_sha256(path)) != table.sha256:
        raise VerifyError(f"{path}: expected sha256 {table.sha256}, got {digest}; {_remedy(directory)}")
    try:
        mixed = msgspec.json.decode(path.read_bytes(), type=Mixed)
    except msgspec.DecodeError as error:
        raise VerifyError(f"{path}: {error}; was it written by another version? {_remedy(directory)}") from error
    if mixed.format != MIXTURE_FORMAT:
        raise VerifyError(
            f"{path}: expected format {MIXTURE_FORMAT}, got {mixed.format}; this trainer is older or newer"
        )
    if mixed.by_cluster:
        raise RecipeError(
            f"{path}: the mixture counts documents by their clusters, which this trainer does not: it reads whole "
            f"streams. Build without `by_cluster`, or read by `corpus.document_order`."
        )
    if mixed.unmet:
        raise RecipeError(f"mixture: {', '.join(mixed.unmet)}: a weight, but no training shards; weigh what is there")
    return mixed


def files(build: Build) -> list[tuple[Path, File]]:
    """Every file that training reads, with what the manifest says about it."""
    found = []
    for source in build.sources:
        for shard in build.train_shards(source):
            prefix = build.prefix(shard)
            found += [(prefix.with_name(f"{prefix.name}.{end}"), getattr(shard, end)) for end in ("bin", "idx")]
    return found


def verify_files(build: Build, chosen: Sequence[tuple[Path, File]]) -> None:
    """Re-hash the chosen files. VerifyError names the first that differs."""
    for path, file in chosen:
        digest = file_sha256(path)
        if digest != file.sha256:
            raise VerifyError(f"{path}: expected sha256 {file.sha256}, got {digest}; {_remedy(build.directory)}")


def file_sha256(path: Path) -> str:
    """Hex digest, read in blocks. InputError when the file cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    return digest.hexdigest()


def _remedy(directory: Path) -> str:
    return f"run `corpus verify {directory}`, then `corpus build` again"
