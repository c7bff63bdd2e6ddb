"""Blobs under a root: a local folder or an object store, with one way to publish.

A blob is built in memory, then published in one step, so no reader ever sees half of one. Locally that is a temporary
file and a rename; an object store gets one PUT with nothing around it that an exception could cut short. `create`
writes only where nothing is: it is how two runs that reach the same step are compared.

Store layout:
    tables/<kind>/<partition>-<digest>.parquet   records/<source>/<kind>/…   runs/<kind>/…   assets/<sha256>   inputs/…
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import fsspec
import msgspec

from corpus.errors import InputError


def is_local(url: str) -> bool:
    return "://" not in url or url.startswith("file://")


def local_path(url: str) -> Path:
    return Path(url.removeprefix("file://"))


@cache
def _filesystem(protocol: str) -> Any:
    return fsspec.filesystem(protocol)


def filesystem(url: str) -> tuple[Any, str]:
    """fsspec filesystem and the path inside it. Endpoint and credentials come from the environment."""
    protocol = url.split("://", 1)[0]
    fs = _filesystem(protocol)
    return fs, fs._strip_protocol(url)


class Blobs(msgspec.Struct, frozen=True):
    """Named bytes under `root` (a folder or a URL that fsspec knows). Names are relative, with forward slashes."""

    root: str

    def url(self, name: str) -> str:
        return f"{self.root.rstrip('/')}/{name}"

    def _path(self, name: str) -> Path:
        return local_path(self.root) / name

    def put(self, name: str, *data: bytes | memoryview) -> None:
        """Publish `data`, one piece after the other, under `name`, replacing what is there."""
        if is_local(self.root):
            path = self._path(name)
            temporary = _temporary(path, *data)
            os.replace(temporary, path)
        else:
            fs, path = filesystem(self.url(name))
            fs.pipe_file(path, b"".join(data))

    def create(self, name: str, data: bytes) -> bool:
        """Publish `data` unless `name` exists. -> whether it was published."""
        if is_local(self.root):
            path = self._path(name)
            temporary = _temporary(path, data)
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
            finally:
                os.unlink(temporary)
            return True
        fs, path = filesystem(self.url(name))
        try:
            fs.pipe_file(path, data, mode="create")
        except FileExistsError:
            return False
        return True

    def put_file(self, name: str, path: Path) -> None:
        """Publish a finished local file under `name`; the file is used up."""
        if is_local(self.root):
            target = self._path(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.replace(path, target)
            except OSError:  # another file system: copy beside the target, then rename
                temporary = _temporary(target, b"")
                shutil.copyfile(path, temporary)
                os.replace(temporary, target)
        else:
            fs, remote = filesystem(self.url(name))
            fs.put_file(str(path), remote)

    def get(self, name: str, start: int = 0, stop: int | None = None) -> bytes:
        if is_local(self.root):
            with open(self._path(name), "rb") as file:
                file.seek(start)
                return file.read() if stop is None else file.read(stop - start)
        fs, path = filesystem(self.url(name))
        return bytes(fs.cat_file(path, start=start or None, end=stop))

    def size(self, name: str) -> int:
        if is_local(self.root):
            return self._path(name).stat().st_size
        fs, path = filesystem(self.url(name))
        return int(fs.size(path))

    def exists(self, name: str) -> bool:
        if is_local(self.root):
            return self._path(name).exists()
        fs, path = filesystem(self.url(name))
        return bool(fs.exists(path))

    def list(self, folder: str) -> list[str]:
        """Names directly under `folder`, sorted; empty where there is none. Temporary files are left out."""
        if is_local(self.root):
            path = self._path(folder)
            names = os.listdir(path) if path.is_dir() else []
        else:
            fs, path = filesystem(self.url(folder))
            fs.invalidate_cache()
            try:
                names = [entry.rsplit("/", 1)[-1] for entry in fs.ls(path, detail=False)]
            except FileNotFoundError:
                names = []
        return sorted(name for name in names if name and not name.startswith(".tmp-"))

    def walk(self, folder: str) -> Iterator[str]:
        """Names of all blobs below `folder`, relative to the root, sorted."""
        if is_local(self.root):
            base = self._path(folder)
            found = [p.relative_to(self._path("")).as_posix() for p in base.rglob("*") if p.is_file()]
        else:
            fs, path = filesystem(self.url(folder))
            fs.invalidate_cache()
            prefix = filesystem(self.root)[1].rstrip("/") + "/"
            found = [entry.removeprefix(prefix) for entry in fs.find(path)]
        yield from sorted(name for name in found if "/.tmp-" not in f"/{name}")

    def remove(self, name: str) -> None:
        if is_local(self.root):
            self._path(name).unlink(missing_ok=True)
        else:
            fs, path = filesystem(self.url(name))
            if fs.exists(path):
                fs.rm_file(path)

    def sweep(self) -> int:
        """Remove temporary files that killed writers left behind. -> how many. Only for a store nobody writes to."""
        if not is_local(self.root):
            return 0
        stray = list(self._path("").rglob(".tmp-*"))
        for path in stray:
            path.unlink(missing_ok=True)
        return len(stray)

    def check(self) -> None:
        """Prove that the root can be written to and read from here; InputError if not."""
        try:
            self.put("probe", b"corpus")
            if self.get("probe") != b"corpus":
                raise InputError(f"{self.root}: what was written there reads back differently")
            self.remove("probe")
        except OSError as error:
            raise InputError(f"{self.root}: cannot write there: {error}. Give another --store or --out.") from error


def _temporary(path: Path, *data: bytes | memoryview) -> str:
    for attempt in (0, 1):
        try:
            handle, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
            break
        except FileNotFoundError:
            if attempt:
                raise
            path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(handle, "wb") as file:
        file.writelines(data)
    os.chmod(name, 0o644)
    return name


def open_input(url: str) -> BinaryIO:
    """A readable binary file, local or remote."""
    if is_local(url):
        return open(local_path(url), "rb")
    fs, path = filesystem(url)
    return fs.open(path, "rb", block_size=8 << 20, cache_type="readahead")


class Stat(msgspec.Struct, frozen=True):
    """The cheap sign that a file has not changed."""

    size: int
    mark: str  # modification time in ns, or etag


def list_inputs(root: str, patterns: tuple[str, ...]) -> dict[str, Stat]:
    """Path relative to `root` -> Stat, for all files that match one of `patterns` (`**` crosses folders)."""
    found: dict[str, Stat] = {}
    if is_local(root):
        base = local_path(root)
        for pattern in patterns:
            for path in base.glob(pattern):
                if path.is_file():
                    info = path.stat()
                    found[path.relative_to(base).as_posix()] = Stat(info.st_size, str(info.st_mtime_ns))
    else:
        for pattern in patterns:
            fs, path = filesystem(f"{root.rstrip('/')}/{pattern}")
            prefix = filesystem(root)[1].rstrip("/") + "/"
            fs.invalidate_cache()
            for entry, info in fs.glob(path, detail=True).items():
                if info["type"] == "file":
                    mark = str(info.get("ETag") or info.get("etag") or info.get("LastModified") or info.get("mtime"))
                    found[entry.removeprefix(prefix)] = Stat(int(info["size"]), mark)
    return dict(sorted(found.items()))
