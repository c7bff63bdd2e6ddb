"""A cluster that is running already: joined by its address, with the same result."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import toys

from corpus import recipe
from corpus.build import Builder
from corpus.cluster import Cluster
from corpus.graph import Graph
from corpus.local import Local
from corpus.progress import Progress
from corpus.store import Blobs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
]


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A head node on loopback. It asks for no token: this process has read its own settings already."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    here = Path(__file__).parent
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (here.parent, here.parent.parent))))
    ray = Path(sys.executable).parent / "ray"
    options = ["--head", "--block", "--num-cpus=2", "--include-dashboard=false", "--disable-usage-stats"]
    head = subprocess.Popen(
        [
            str(ray),
            "start",
            *options,
            f"--port={port}",
            "--node-ip-address=127.0.0.1",
            f"--object-store-memory={2**27}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    time.sleep(3)  # the port opens before the node has joined
    yield f"127.0.0.1:{port}"
    head.terminate()
    head.wait()


def test_a_running_cluster_is_joined(tmp_path: Path, address: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("\n".join(f"document {n}" for n in range(50)) + "\n")
    path = tmp_path / "m.toml"
    path.write_text(
        'name = "m"\n[[source]]\nname = "s"\nformat = "lines"\nfiles = ["*.txt"]\nroot = "data"\n'
        'read = { partition_rows = 7 }\n[[stage]]\nkind = "upper"\n[[stage]]\nkind = "size"\n'
    )
    plan = recipe.load(path, toys.Stages, toys.Readers)
    cluster = Cluster(address=address)
    try:
        assert cluster.workers == 2
        for name, executor in (("one", Local()), ("two", cluster)):
            store = Blobs(str(tmp_path / name))
            if executor is cluster:
                cluster.check_visible(store)
            builder = Builder(Graph(plan, store), executor, Progress(quiet=True))
            unread = builder.discover()
            for segment in builder.segments():
                builder.walk(segment.until, unread)
    finally:
        cluster.close()
    files = [
        {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name / "tables").rglob("*.parquet")}
        for name in ("one", "two")
    ]
    assert files[0] == files[1]
    assert len(files[0]) == 24
