"""A sealed build to look at: one that is given, or the quickstart, made on the spot."""

import subprocess
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path

from bench.corpus_build import corpus_build
from bench.launch import ROOT

QUICKSTART = ROOT / "manifests" / "quickstart.toml"


@dataclass(frozen=True)
class Sealed:
    """Build directory and store; the manifest, and the folder of its files."""

    out: Path
    store: Path
    manifest: Path
    root: Path


def options(parser: ArgumentParser) -> None:
    parser.add_argument("--build", type=Path, help="a finished build; default: the quickstart, built for this")
    parser.add_argument("--store", type=Path, help="of --build; default: `store` beside it")
    parser.add_argument("--manifest", type=Path, help="that --build was made from")
    parser.add_argument("--root", type=Path, help="folder of the manifest's files")
    parser.add_argument("--sample-scale", type=float, default=0.4, help="of the quickstart's sample")


def sealed_build(chosen: Namespace, folder: Path) -> Sealed:
    """What `options` chose. `folder` takes the quickstart."""
    if chosen.build is not None:
        store = chosen.store or chosen.build.parent / "store"
        manifest, root = chosen.manifest or QUICKSTART, chosen.root or ROOT / "build" / "sample"
        return Sealed(*(path.resolve() for path in (chosen.build, store, manifest, root)))
    sample = folder / "sample"
    command = [sys.executable, "-m", "corpus", "sample", str(sample), "--scale", str(chosen.sample_scale)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    corpus_build(QUICKSTART, folder, "--root", str(sample), "--local", environment={})
    return Sealed(folder / "out", folder / "store", QUICKSTART, sample)
