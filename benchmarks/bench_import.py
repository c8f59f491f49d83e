"""
Import of a month of cases against a plain COPY of the same prepared rows.

Ours reads a csv, checks and converts every value, places every case and merges it into the final
table. The plain version copies the finished rows (binary, prepared beforehand) into a table like
the final one, with all its indexes. Both start from an empty table; they alternate in one run.
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
from gridgis.services.ingest import ImportRequest, import_cases
from gridgis.store.cluster import BOOTSTRAP_ROLE, Cluster
from gridgis.store.engine import Engine, begin, connect

PAIRS = 5
GOAL = 0.4
MONTH = "2024-11"


def main() -> int:
    """Run the pairs; exit 1 if the goal is missed."""
    with throw_away_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        context = _city(cluster)
        write_demo(context.profile(), Path(folder), months=1)
        file = Path(folder) / f"cases-{MONTH}.csv"
        admin = connect(cluster.url("bench", role=BOOTSTRAP_ROLE))
        _import(context, file)
        rows = _prepare(admin)
        pairs: list[tuple[Spent, Spent]] = []
        for _ in range(PAIRS):
            _empty(admin)
            pairs.append(
                (measure(cluster, lambda: _copy(admin, rows)),
                 measure(cluster, lambda: _import(context, file)))
            )  # fmt: skip
        count = _check(admin)
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


def _prepare(admin: Engine) -> bytes:
    """Make the twin table and return the finished rows as binary COPY data."""
    out = BytesIO()
    with begin(admin) as tx:
        tx.execute(text("CREATE TABLE core.case_copy (LIKE core.case_record INCLUDING ALL)"))
        columns = _columns(tx)
        driver = tx.connection.driver_connection
        with driver.cursor().copy(
            f"COPY core.case_record ({columns}) TO STDOUT (FORMAT binary)"
        ) as copy:
            for block in copy:
                out.write(block)
    return out.getvalue()


def _copy(admin: Engine, rows: bytes) -> None:
    with begin(admin) as tx:
        columns = _columns(tx)
        driver = tx.connection.driver_connection
        with driver.cursor().copy(
            f"COPY core.case_copy ({columns}) FROM STDIN (FORMAT binary)"
        ) as copy:
            copy.write(rows)


def _columns(tx: object) -> str:
    """Return the columns that are not generated."""
    return tx.scalar(  # type: ignore[attr-defined]
        text(
            "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute "
            "WHERE attrelid = 'core.case_record'::regclass AND attnum > 0 "
            "AND NOT attisdropped AND attgenerated = ''"
        )
    )


def _empty(admin: Engine) -> None:
    with begin(admin) as tx:
        tx.execute(text("TRUNCATE core.case_record, core.case_copy"))


def _check(admin: Engine) -> int:
    """Both tables must hold the same cases in the same places."""
    with begin(admin) as tx:
        same, count = tx.execute(
            text(
                "SELECT count(*) FILTER (WHERE a.cell_code IS NOT DISTINCT FROM b.cell_code "
                "AND a.row_hash = b.row_hash) = count(*), count(*) "
                "FROM core.case_record AS a FULL JOIN core.case_copy AS b USING (case_no)"
            )
        ).one()
    if not same:
        sys.exit("the two tables differ: the comparison means nothing")
    return int(count)


if __name__ == "__main__":
    sys.exit(main())
