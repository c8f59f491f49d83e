"""
Import of a month of cases against a plain COPY of the same prepared rows.

Ours reads a csv, checks and converts every value, places every case and merges it into the final
table. The plain version copies the finished rows (binary, prepared beforehand) into the same table
with all its indexes and constraints. Both start from an empty table; they alternate in one run.
"""

from __future__ import annotations

import sys
import tempfile
from io import BytesIO
from pathlib import Path

from common import Spent, measure, median_ratio, report, throw_away_cluster
from sqlalchemy import text

from gridgis.cli.layers import load_layers, make_profile_cells
from gridgis.config import Settings
from gridgis.demo import write_demo
from gridgis.services.context import Context, init_city
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import case_digest, import_cases
from gridgis.store.cluster import BOOTSTRAP_ROLE, Cluster
from gridgis.store.engine import Engine, begin, connect

PAIRS = 5
GOAL = 0.4
MONTH = "2024-11"
_STORED_COLUMNS = """
SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = 'core.case_record'::regclass AND attnum > 0 AND NOT attisdropped
  AND attgenerated = ''"""


def main() -> int:
    """Run the pairs; exit 1 if the goal is missed."""
    with throw_away_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        context = _city(cluster)
        write_demo(context.profile(), Path(folder), months=1)
        file = Path(folder) / f"cases-{MONTH}.csv"
        admin = connect(cluster.url("bench", role=BOOTSTRAP_ROLE))
        _import(context, file)
        columns, rows = _prepare(admin)
        count, digest = case_digest(context)
        pairs: list[tuple[Spent, Spent]] = []
        for _ in range(PAIRS):
            spent: list[Spent] = []
            for load in (lambda: _copy(admin, columns, rows), lambda: _import(context, file)):
                _empty(admin)
                spent.append(measure(cluster, load))
                if case_digest(context) != (count, digest):
                    sys.exit("the two loads differ: the comparison means nothing")
            pairs.append((spent[0], spent[1]))
        context.engine.dispose()
        admin.dispose()
    ratio = median_ratio(pairs)
    held = report(
        "import",
        question="rows/s of an import over rows/s of a plain COPY of the prepared rows (CPU)",
        sizes={"rows": count, "file_mb": 68, "pairs": PAIRS},
        ratios={"import_speed_over_copy": ratio},
        gates={f"import_speed_over_copy >= {GOAL}": ratio >= GOAL},
        pairs={"copy, import": pairs},
    )
    return 0 if held else 1


def _city(cluster: Cluster) -> Context:
    context = init_city(Settings(data_dir=cluster.state_dir), "kunming", database="bench")
    profile = context.profile()
    load_layers(context, profile)
    make_profile_cells(context, profile)
    return context


def _import(context: Context, file: Path) -> None:
    rejects = file.with_name("rejects.csv")
    import_cases(context, file, ImportRequest(crs="wgs84", synthetic=True, rejects=rejects))


def _prepare(admin: Engine) -> tuple[str, bytes]:
    """Return the stored columns and the finished rows as binary COPY data."""
    out = BytesIO()
    with begin(admin) as tx:
        columns = str(tx.scalar(text(_STORED_COLUMNS)))
        with tx.connection.driver_connection.cursor().copy(
            f"COPY core.case_record ({columns}) TO STDOUT (FORMAT binary)"
        ) as copy:
            for block in copy:
                out.write(block)
    return columns, out.getvalue()


def _copy(admin: Engine, columns: str, rows: bytes) -> None:
    with (
        begin(admin) as tx,
        tx.connection.driver_connection.cursor().copy(
            f"COPY core.case_record ({columns}) FROM STDIN (FORMAT binary)"
        ) as copy,
    ):
        copy.write(rows)


def _empty(admin: Engine) -> None:
    with begin(admin) as tx:
        tx.execute(text("TRUNCATE core.case_record"))


if __name__ == "__main__":
    sys.exit(main())
