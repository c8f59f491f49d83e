"""Mappings: what they may say, how they fit a file, and drafts of them (列映射)."""

from dataclasses import replace
from pathlib import Path

import pytest

from gridgis.errors import SchemaError
from gridgis.intake.mapping import load_mapping, parse_mapping, resolve_columns
from gridgis.intake.profile import load_profile
from gridgis.intake.reader import open_table
from gridgis.intake.suggest import suggest_mapping

TOY = Path(__file__).resolve().parents[1] / "data" / "toy"
REQUIRED = {"case_no": "编号", "subcategory": "小类", "source": "来源", "reported_at": "时间"}


@pytest.fixture(scope="module")
def profile():
    """Return the toy profile."""
    return load_profile(TOY / "profile")


def table(folder, *headers):
    """Return an opened table with these headers and one row."""
    path = folder / "a.csv"
    path.write_text(",".join(headers) + "\n" + ",".join("1" for _ in headers) + "\n")
    return open_table(path, wanted=headers)


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"column": {}}, "unknown section [column]"),
        ({"columns": {"case_number": "编号"}}, "'case_number' is no field of cases; closest"),
        ({"columns": {"case_no": 5}}, "expected a header or a list of headers"),
        ({"columns": {"x": "X"}, "file": {"kind": "tasks"}}, "'x' is no field of tasks; closest"),
        ({"columns": {}, "file": {"kind": "task"}}, "kind 'task': allowed: cases, events, tasks"),
        ({"columns": REQUIRED | {"x": "X"}}, "x and y belong together"),
        ({"columns": {"case_no": "编号"}}, "required field source"),
        ({"columns": REQUIRED, "constants": {"source": "other"}}, "also in [columns]"),
        ({"columns": REQUIRED, "values": {"reported_at": {"?": ""}}}, "are not translated"),
        ({"columns": REQUIRED, "constants": {"crs": "wgs84"}}, "differs from row to row"),
        ({"columns": REQUIRED, "constants": {"x": "24.9"}}, "differs from row to row"),
        ({"columns": REQUIRED, "times": {"formats": ["%Q"]}}, "expected strptime directives"),
        ({"columns": REQUIRED, "times": {"time_zone": "Mars/Base"}}, "no such zone"),
        ({"columns": REQUIRED, "file": {"header_row": 0}}, "expected a whole number from 1"),
        ({"columns": REQUIRED, "file": {"rows": 1}}, "unknown key; allowed: encoding, header_row"),
    ],
)
def test_faults_of_a_mapping_are_named(spec, named):
    """Every fault is listed with what is allowed."""
    with pytest.raises(SchemaError) as caught:
        parse_mapping(spec, name="m")
    assert named in str(caught.value)


def test_all_faults_come_at_once():
    """A mapping with several faults names them all."""
    with pytest.raises(SchemaError, match="has 4 fault"):
        parse_mapping({"columns": {"case_no": "a", "nope": "b"}}, name="m")


def test_unreadable_mappings_are_refused(tmp_path):
    """No file, no TOML: each says so."""
    with pytest.raises(SchemaError, match="no such file"):
        load_mapping(tmp_path / "m.toml")
    (tmp_path / "m.toml").write_text("columns = [")
    with pytest.raises(SchemaError, match="not readable as TOML"):
        load_mapping(tmp_path / "m.toml")


def test_headers_are_compared_without_spaces_case_and_width(tmp_path):
    """Spaces, case and full width of a header do not matter; the first name present counts."""
    mapping = parse_mapping({"columns": REQUIRED | {"address_text": ["Place", "Where"]}}, name="m")
    opened = table(tmp_path, "编 号", "小类", "来源", "时间", "\uff37HERE")
    assert resolve_columns(mapping, opened)["address_text"] == "WHERE"
    assert resolve_columns(mapping, opened)["case_no"] == "编 号"


def test_a_missing_column_names_the_closest(tmp_path):
    """What the file lacks is listed with the closest headers and all there are."""
    mapping = parse_mapping({"columns": REQUIRED | {"address_text": "案发地址"}}, name="m")
    with pytest.raises(SchemaError) as caught:
        resolve_columns(mapping, table(tmp_path, "编号", "小类", "时间", "地址"))
    text = str(caught.value)
    assert "column '来源' (for source) is not in the file" in text
    assert "column '案发地址' (for address_text) is not in the file; closest: '地址'" in text
    assert "headers of the file: 编号, 小类, 时间, 地址" in text


def test_two_columns_of_one_name_are_refused(tmp_path):
    """A mapped header that two columns answer to is ambiguous."""
    mapping = parse_mapping({"columns": REQUIRED}, name="m")
    with pytest.raises(SchemaError, match="two columns are called"):
        resolve_columns(mapping, table(tmp_path, "编号", "小类", "来源", "时间", "编 号"))


def test_a_draft_finds_columns_by_headers_and_values(profile):
    """Headers that are usual names, and values that only one field can have, are matched."""
    draft = suggest_mapping(TOY / "cases.csv", profile=profile)
    mapping = draft.text
    for line in ('subcategory = "Kind"', 'source = "Channel"', 'stated_region = "Area"', 'x = "X"',
                 'case_no = "Ticket"', 'reported_at = "Reported"', 'closed_at = "Closed"',
                 'formats = ["%d.%m.%Y %H:%M"]'):  # fmt: skip
        assert line in mapping.splitlines()
    assert draft.missing == ()


def test_a_draft_says_what_is_open(profile):
    """Unused columns, fields without a column and unknown values are named in comments."""
    text = suggest_mapping(TOY / "cases.csv", profile=profile).text
    assert '#   "Deadline" holds times: which stage is it?' in text
    assert '#   "Fixed on the spot" holds yes and no: self_handled?' in text
    assert '# accepted_at = ""  # Accepted (受理时间)' in text
    assert '# "Noise at night" = ""  # 35 rows; closest:' in text


def test_a_draft_loads(profile, tmp_path):
    """A draft without missing fields is a mapping that loads and fits its file."""
    draft = suggest_mapping(TOY / "cases.csv", profile=profile)
    (tmp_path / "m.toml").write_text(draft.text)
    mapping = load_mapping(tmp_path / "m.toml")
    resolve_columns(mapping, open_table(TOY / "cases.csv", wanted=mapping.headers))


def test_a_draft_names_required_fields_that_are_missing(profile, tmp_path):
    """Without a column of sources the draft says that one is required."""
    path = tmp_path / "a.csv"
    path.write_text("案件编号,小类,上报时间,备注\nA1,Litter,2024-03-05 08:30,\n")
    draft = suggest_mapping(path, profile=profile)
    assert draft.missing == ("source",)
    assert '# source = ""  # Source (问题来源)' in draft.text
    assert "[constants]" in draft.text


def test_a_draft_of_usual_chinese_headers(profile, tmp_path):
    """The usual headers of Chinese platforms are known, in any format."""
    headers = (
        "任务号",
        "问题小类",
        "案件来源",
        "所属区县",
        "X坐标",
        "Y坐标",
        "网格编码",
        "登记时间",
    )
    path = tmp_path / "a.csv"
    path.write_text(
        ",".join(headers) + "\nA1,Litter,app,North,24.93,60.29,990901001001001,2024-03-05 08:30\n",
        encoding="gb18030",
    )
    draft = suggest_mapping(path, profile=replace(profile, language="zh-CN"))
    (tmp_path / "m.toml").write_text(draft.text, encoding="utf-8")
    found = {name: names[0] for name, names in load_mapping(tmp_path / "m.toml").columns.items()}
    assert found == {
        "case_no": "任务号", "subcategory": "问题小类", "source": "案件来源",
        "stated_region": "所属区县", "x": "X坐标", "y": "Y坐标", "cell_code_stated": "网格编码",
        "reported_at": "登记时间",
    }  # fmt: skip
