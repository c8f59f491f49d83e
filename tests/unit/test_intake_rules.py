"""Each rule of the check of cases, with what is rejected and what is kept (案件校验)."""

from pathlib import Path

import pytest

from gridgis.intake.mapping import parse_mapping
from gridgis.intake.profile import load_profile
from gridgis.intake.read_cases import CaseFile
from gridgis.intake.rejects import FORMULA, protected
from gridgis.intake.rules import RULES, remedy

TOY = Path(__file__).resolve().parents[1] / "data" / "toy"
COLUMNS = {
    "case_no": "no", "subcategory": "kind", "source": "from", "stated_region": "area", "x": "x",
    "y": "y", "crs": "crs", "cell_code_stated": "cell", "self_handled": "own",
    "reported_at": "reported", "accepted_at": "accepted", "closed_at": "closed",
}  # fmt: skip
GOOD = {"no": "T-1", "kind": "Litter", "from": "app", "reported": "2024-03-05 08:30"}


def wide(text):
    """Return a text in full-width forms."""
    return text.translate({c: c + 0xFEE0 for c in range(0x21, 0x7F)})


@pytest.fixture(scope="module")
def profile():
    """Return the toy profile."""
    return load_profile(TOY / "profile")


@pytest.fixture
def check(profile, tmp_path):
    """Return a function that reads rows of texts and returns accepted rows and rejects."""

    def run(*rows, mapping=None, crs="wgs84"):
        path = tmp_path / "cases.csv"
        headers = list(COLUMNS.values())
        lines = [",".join(str(({**GOOD, **row}).get(h, "")) for h in headers) for row in rows]
        path.write_text("\n".join([",".join(headers), *lines]) + "\n", encoding="utf-8")
        spec = {"columns": COLUMNS} | (mapping or {})
        file = CaseFile(path, mapping=parse_mapping(spec, name="m"), profile=profile, crs=crs)
        batches = list(file.batches())
        accepted = [row for batch in batches for row in batch.rows.to_pylist()]
        rejects = [reject for batch in batches for reject in batch.rejects]
        return accepted, rejects

    return run


@pytest.mark.parametrize(
    ("row", "column", "rule"),
    [
        ({"no": ""}, "no", "required"),
        ({"no": "5.30E+14"}, "no", "rounded_number"),
        ({"no": "x" * 65}, "no", "too_long"),
        ({"kind": ""}, "kind", "required"),
        ({"kind": "Liter"}, "kind", "unknown_category"),
        ({"from": ""}, "from", "required"),
        ({"from": "pigeon"}, "from", "unknown_source"),
        ({"own": "perhaps"}, "own", "not_a_flag"),
        ({"cell": "99090100100100"}, "cell", "bad_cell_code"),
        ({"cell": "9909010010010011"}, "cell", "bad_cell_code"),
        ({"cell": "990901001001000"}, "cell", "bad_cell_code"),
        ({"cell": "9.90901E+14"}, "cell", "rounded_number"),
        ({"cell": "990901000000000"}, "cell", "rounded_number"),
        ({"reported": ""}, "reported", "required"),
        ({"reported": "soon"}, "reported", "not_a_time"),
        ({"reported": "0001-01-01 00:00:00"}, "reported", "time_out_of_range"),
        ({"accepted": "9999-12-31 23:59:59"}, "accepted", "time_out_of_range"),
        ({"closed": "1899-12-31"}, "closed", "time_out_of_range"),
        ({"closed": "1900-01-00"}, "closed", "not_a_time"),
        ({"closed": "2024-03-01"}, "closed", "stage_order"),
        ({"x": "24.93", "y": "north"}, "y", "not_a_number"),
        ({"x": "nan", "y": "60.29"}, "x", "not_a_number"),
        ({"x": "24.93", "y": "60.29", "crs": "mercator"}, "crs", "unknown_crs"),
    ],
)
def test_a_bad_row_is_rejected(row, column, rule, check):
    """Each fault names its column, its rule, the value and a remedy; the good row beside stays."""
    accepted, (reject,) = check(row, {"no": "T-2"})
    assert [case["case_no"] for case in accepted] == ["T-2"]
    assert (reject.row_no, reject.column, reject.rule) == (1, column, rule)
    assert reject.value == row[column][:200]
    assert reject.remedy


@pytest.mark.parametrize(
    ("row", "field", "value"),
    [
        ({"no": wide("T-12")}, "case_no", "T-12"),
        ({"no": "12E5"}, "case_no", "12E5"),
        ({"kind": " litter "}, "subcategory_code", "S0101"),
        ({"kind": wide("S0101")}, "subcategory_code", "S0101"),
        ({"kind": "trash"}, "category_code", "S01"),
        ({"from": "PHONE LINE"}, "source", "hotline_12345"),
        ({"from": "City inspector"}, "tier", "city"),
        ({"own": "是"}, "self_handled", True),
        ({"own": ""}, "self_handled", False),
        ({"area": "North"}, "stated_region_code", "990901"),
        ({"area": "North、South"}, "cross_area", True),
        ({"area": "North、Nowhere"}, "stated_region_code", None),
        ({"area": "Nowhere"}, "stated_region", "Nowhere"),
        ({"cell": wide("990901001001001")}, "cell_code_stated", "990901001001001"),
        ({"x": wide("24.93"), "y": "60.29"}, "lon", 24.93),
        ({"x": "", "y": ""}, "point_issue", "missing"),
        ({"x": "0", "y": "0"}, "point_issue", "zero"),
        ({"x": "60.29", "y": "24.93"}, "point_issue", "swapped"),
        ({"x": "102.7", "y": "25"}, "point_issue", "outside_extent"),
        ({"x": "102.7", "y": "25"}, "src_x", "102.7"),
        ({"x": "24.93", "y": "60.29", "crs": "GPS"}, "src_crs", "wgs84"),
        ({"crs": "mercator"}, "src_crs", None),
    ],
)
def test_a_good_row_is_read(row, field, value, check):
    """Full width, aliases, case and spaces do not matter; rows without a point stay and say why."""
    (case,), rejects = check(row)
    assert case[field] == value
    assert rejects == []


def test_own_values_are_mapped(check):
    """A mapping's own values are replaced before they are looked up."""
    (case,), _ = check({"from": "pigeon"}, mapping={"values": {"source": {"pigeon": "other"}}})
    assert case["source"] == "other"


def test_constants_stand_in_for_columns(profile, tmp_path):
    """A field without a column has the constant of the mapping in every row."""
    path = tmp_path / "a.csv"
    path.write_text("no,reported,x,y\nT-1,2024-03-05,24.9301,60.2901\n")
    spec = {
        "columns": {"case_no": "no", "reported_at": "reported", "x": "x", "y": "y"},
        "constants": {"subcategory": "Litter", "source": "app"},
    }
    file = CaseFile(path, mapping=parse_mapping(spec, name="m"), profile=profile, crs="wgs84")
    (batch,) = file.batches()
    (case,) = batch.rows.to_pylist()
    assert (case["source"], case["subcategory_code"]) == ("wechat", "S0101")
    assert case["locate_radius_m"] == pytest.approx(6.4, abs=0.1)


def test_the_first_reason_stays(check):
    """A row with several faults is rejected once, for the first."""
    _, rejects = check({"kind": "?", "from": "?", "reported": "?"}, {"no": "T-2"})
    assert [reject.rule for reject in rejects] == ["unknown_category"]


def test_repeats_are_told_from_conflicts(check):
    """An identical row and one with other content under the same number are different faults."""
    accepted, rejects = check({"no": "A"}, {"no": "A"}, {"no": "A", "area": "North"}, {"no": "B"})
    assert [case["case_no"] for case in accepted] == ["A", "B"]
    assert [(r.row_no, r.rule) for r in rejects] == [
        (2, "duplicate_row"), (3, "duplicate_case_no"),
    ]  # fmt: skip


def test_a_rejected_row_reserves_no_number(check):
    """The number of a rejected row is free for a later good one."""
    accepted, rejects = check({"no": "A", "kind": "?"}, {"no": "A"})
    assert (len(accepted), len(rejects)) == (1, 1)


def test_rows_may_name_their_crs(check):
    """A CRS column replaces --crs, row by row."""
    accepted, _ = check(
        {"no": "A", "x": "24.9336", "y": "60.293", "crs": "WGS84"},
        {"no": "B", "x": "385776.04", "y": "6685838.44", "crs": "3067"},
        crs=None,
    )
    assert [case["src_crs"] for case in accepted] == ["wgs84", "EPSG:3067"]
    assert accepted[1]["lon"] == pytest.approx(accepted[0]["lon"], abs=1e-3)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_remedy_in_both_languages(rule):
    """Remedies are complete sentences for a Chinese and for another city."""
    facts = {"value": "v", "column": "c", "limit": 1, "found": 1, "expected": 2, "hint": "",
             "allowed": "a", "before": "b", "stage": "s", "previous": "p", "at": "t",
             "first": 1900, "last": 2199}  # fmt: skip
    assert remedy(rule, "zh-CN", **facts) != remedy(rule, "en", **facts)


@pytest.mark.parametrize("text", ["=1+1", "-x", "+358 1", "@me", "'=1", "''-x", "＝1", "\t1"])
def test_no_text_becomes_a_formula(text):
    """A text that begins like a formula is protected; a plain number is not touched."""
    assert protected(text) == f"'{text}"
    assert protected("-12.5") == "-12.5"
    assert protected("plain 'quote'") == "plain 'quote'"
    assert FORMULA
