"""`corpus build` in a process of its own, as a user runs it: the one place where studies start it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.launch import ONE_THREAD, ROOT


def corpus_build(
    manifest: Path, folder: Path, *arguments: str, environment: Mapping[str, str] = ONE_THREAD
) -> dict[str, Any]:
    """Build into `folder`/out with the store `folder`/store -> what `--json` says. `environment` is added to this
    process's own. RuntimeError, with what the build said last, where it fails."""
    with start(manifest, folder, "--json", *arguments, environment=environment) as process:
        out, log = process.communicate()
    check(process.returncode, log)
    found: dict[str, Any] = json.loads(out)
    return found


def start(
    manifest: Path, folder: Path, *arguments: str, environment: Mapping[str, str] = ONE_THREAD
) -> "subprocess.Popen[str]":
    """The same, under way: its output and its log are pipes, which must be read to their ends."""
    command = [sys.executable, "-m", "corpus", "build", str(manifest)]
    command += ["--out", str(folder / "out"), "--store", str(folder / "store"), *arguments]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def check(code: int, log: str) -> None:
    """RuntimeError, with the end of its log, where a build failed."""
    if code != 0:
        raise RuntimeError(f"corpus build: exit status {code}: {log.strip()[-2000:]}")
