"""A large file is read as a stream: memory does not grow with it (内存)."""

import subprocess
import sys
from pathlib import Path

TOY = Path(__file__).resolve().parents[1] / "data" / "toy"
WALK = """
import resource, sys
from pathlib import Path
from gridgis.intake import delimited
from gridgis.intake.mapping import load_mapping
from gridgis.intake.profile import load_profile
from gridgis.intake.read_cases import CaseFile
delimited.BLOCK_BYTES = 1 << 20  # so that a small file already fills what is read ahead
profile = load_profile(Path(sys.argv[1]) / "profile")
mapping = load_mapping(profile.mappings["cases"])
file = CaseFile(Path(sys.argv[2]), mapping=mapping, profile=profile, crs="wgs84")
rows = sum(batch.rows_in for batch in file.batches())
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def walked(path):
    """Return the rows of a file and the peak memory in MB of a process that reads them."""
    command = [sys.executable, "-c", WALK, TOY, path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    rows, peak_mb = map(int, done.stdout.split())
    return rows, peak_mb


def written(path, megabytes):
    """Write a file of cases of some size and return its number of rows."""
    header, *rows = (TOY / "cases.csv").read_text(encoding="utf-8").splitlines()
    filler = "x" * 600
    count = 0
    with path.open("w", encoding="utf-8") as handle:
        handle.write(header + "\n")
        while handle.tell() < megabytes * 1e6:
            for row in rows[:200]:
                number, kind, channel, _, rest = row.split(",", 4)
                handle.write(f"{count}-{number},{kind},{channel},{filler},{rest}\n")
                count += 1
    return count


def test_memory_stays_flat(tmp_path):
    """Four times the file, hardly more memory: less than a quarter of what was added."""
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    rows = [written(small, 40), written(large, 160)]
    (small_rows, small_mb), (large_rows, large_mb) = walked(small), walked(large)
    assert [small_rows, large_rows] == rows
    assert large_mb - small_mb < 0.25 * (160 - 40)
    assert large_mb < 1000
