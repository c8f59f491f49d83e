"""No row is lost: accepted + rejected = rows read, whatever a file holds (行数守恒)."""

import csv
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gridgis.intake.mapping import parse_mapping
from gridgis.intake.profile import load_profile
from gridgis.intake.read_cases import CaseFile

PROFILE = load_profile(Path(__file__).resolve().parents[1] / "data" / "toy" / "profile")
HEADERS = ("no", "kind", "from", "text", "area", "x", "y", "cell", "own", "reported", "closed")
FIELDS = ("case_no", "subcategory", "source", "description", "stated_region", "x", "y",
          "cell_code_stated", "self_handled", "reported_at", "closed_at")  # fmt: skip
MAPPING = parse_mapping({"columns": dict(zip(FIELDS, HEADERS, strict=True))}, name="m")

texts = st.text(st.characters(codec="utf-8"), max_size=12)
values = {
    "no": st.one_of(st.sampled_from(["A1", "A2", "A3", "5.30E+14", "", " A1 "]), texts),
    "kind": st.sampled_from(["Litter", "S0101", "Liter", "", "trash"]),
    "from": st.sampled_from(["app", "Phone line", "pigeon", ""]),
    "text": st.one_of(texts, st.sampled_from(["two\nlines", 'say "so"', "a,b", "\0", "=1+1"])),
    "area": st.sampled_from(["North", "North、South", "Nowhere", ""]),
    "x": st.one_of(st.sampled_from(["24.9336", "0", "", "east", "1e999"]),
                   st.floats(24, 26).map(repr)),
    "y": st.one_of(st.sampled_from(["60.293", "0", "", "north"]), st.floats(60, 61).map(repr)),
    "cell": st.sampled_from(["", "990901001001001", "9.90E+14", "12"]),
    "own": st.sampled_from(["", "是", "no", "perhaps"]),
    "reported": st.sampled_from(["2024-03-05 08:30", "45356.5", "soon", "", "2024年3月5日"]),
    "closed": st.sampled_from(["", "2024-03-06", "2024-03-01", "20240306101500"]),
}  # fmt: skip
good = st.fixed_dictionaries(values).map(lambda row: list(row.values()))
ragged = st.lists(texts.filter(str.strip), min_size=2, max_size=16)
blank = st.just([""] * len(HEADERS))
crs_words = st.sampled_from(["wgs84", "gcj02"])
rows = st.lists(st.one_of(good, good, good, ragged, blank), min_size=1, max_size=30)


@settings(max_examples=150, deadline=None)
@given(rows=rows, encoding=st.sampled_from(["utf-8", "gb18030"]), crs=crs_words)
def test_accepted_and_rejected_rows_are_all_rows(rows, encoding, crs):
    """Every row that is not blank is accepted once or rejected once, under its own number."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.csv"
        with path.open("w", encoding=encoding, newline="") as handle:
            csv.writer(handle).writerows([HEADERS, *rows])
        file = CaseFile(path, mapping=MAPPING, profile=PROFILE, crs=crs, encoding=encoding)
        batches = list(file.batches())
    accepted = [number for batch in batches for number in batch.rows["row_no"].to_pylist()]
    rejected = [reject.row_no for batch in batches for reject in batch.rejects]
    filled = [number for number, row in enumerate(rows, start=1) if any(v.strip() for v in row)]
    assert sum(batch.rows_in for batch in batches) == len(filled)
    assert sorted(accepted + rejected) == filled
    for batch in batches:
        for reject, original in zip(batch.rejects, batch.originals, strict=True):
            given_row = rows[reject.row_no - 1]
            assert original[: len(given_row)] == given_row or len(original) > len(given_row)
