"""What the benchmarks share: a throw-away PostGIS, CPU seconds, pairs and results (基准测试)."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from gridgis.store.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RESULTS = Path(__file__).parent / "results"
_TICKS = os.sysconf("SC_CLK_TCK")
_PACKAGES = ("geopandas", "numpy", "pandas", "psycopg", "pyarrow", "shapely", "sqlalchemy")


@contextmanager
def throw_away_cluster() -> Iterator[Cluster]:
    """Start a private PostGIS and remove it at the end."""
    with tempfile.TemporaryDirectory(prefix="gridgis-bench-") as folder:
        Path(folder).chmod(0o711)
        cluster = Cluster(Path(folder), durable=False)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.remove()


@dataclass(frozen=True, slots=True)
class Spent:
    """What one piece of work cost."""

    cpu_s: float
    wall_s: float


def measure(cluster: Cluster | None, work: Callable[[], object]) -> Spent:
    """
    Run a piece of work and return its CPU and wall seconds.

    CPU is that of this process plus, where a cluster is given, of the server and all its
    processes, ended ones included.
    """
    cpu, wall = _cpu(cluster), time.perf_counter()
    work()
    return Spent(_cpu(cluster) - cpu, time.perf_counter() - wall)


def median_ratio(pairs: list[tuple[Spent, Spent]]) -> float:
    """Return the median over pairs of the CPU of the first over that of the second."""
    return statistics.median(first.cpu_s / second.cpu_s for first, second in pairs)


def report(
    name: str, *, question: str, sizes: dict[str, object], ratios: dict[str, float],
    gates: dict[str, bool], pairs: dict[str, list[tuple[Spent, Spent]]],
) -> bool:  # fmt: skip
    """Write `results/NAME.json`, print one line and return whether every gate holds."""
    entry = {
        "benchmark": name,
        "question": question,
        "command": f"make bench  (python benchmarks/{Path(sys.argv[0]).name})",
        "sizes": sizes,
        "ratios": {key: round(value, 3) for key, value in ratios.items()},
        "gates": gates,
        "pairs": {
            key: [[asdict(first), asdict(second)] for first, second in rows]
            for key, rows in pairs.items()
        },
        "versions": {package: version(package) for package in _PACKAGES},
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(entry, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: entry[key] for key in ("benchmark", "sizes", "ratios", "gates")}))
    return all(gates.values())


def _cpu(cluster: Cluster | None) -> float:
    own = time.process_time()
    return own if cluster is None else own + _server_cpu(cluster)


def _server_cpu(cluster: Cluster) -> float:
    """Return the CPU seconds of a postmaster, its living children and its ended ones."""
    data = cluster.start().data
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    total = sum(_stat(postmaster)[1:5])
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parent, *times = _stat(int(entry.name))
            if parent == postmaster:
                total += times[0] + times[1]
    return total / _TICKS


def _stat(pid: int) -> list[int]:
    """Return parent, utime, stime, cutime and cstime of a process; zeros once it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return [0] * 5
    return [int(fields[1]), *(int(value) for value in fields[11:15])]
