"""
Why a row is rejected and what to do about it, in the language of the city (退回规则).

The keys are stable: they stand in the rejects file, in the database and in `--json`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES: dict[str, tuple[str, str]] = {
    "required": ("{column}不能为空：补填", "{column} must not be empty: fill it in"),
    "rounded_number": (
        "编码被表格软件变成了数字 {value}，末位已丢失：在源系统将该列设为文本后重新导出",
        (
            "a spreadsheet turned the code into the number {value} and its last digits are lost: "
            "set the column to text at the source and export again"
        ),
    ),
    "too_long": ("最多 {limit} 个字符：缩短", "at most {limit} characters: shorten it"),
    "nul_character": (
        "含有空字符（NUL），数据库无法保存：删除该字符",
        "holds a NUL character that no database stores: delete it",
    ),
    "ragged_row": (
        "该行有 {found} 列，表头有 {expected} 列：检查多余或缺少的分隔符和引号",
        (
            "the row has {found} columns, the header {expected}: look for delimiters and quotation "
            "marks that are too many or missing"
        ),
    ),
    "unknown_category": (
        "目录中没有小类“{value}”{hint}：改正，或在映射的 [values.subcategory] 中对应",
        (
            "the catalogue has no subcategory {value!r}{hint}: correct it, or map it in "
            "[values.subcategory] of the mapping"
        ),
    ),
    "unknown_source": (
        "问题来源应为 {allowed}：改正，或在映射的 [values.source] 中对应",
        "a source is one of {allowed}: correct it, or map it in [values.source] of the mapping",
    ),
    "not_a_flag": ("应为 是 或 否", "expected yes or no"),
    "bad_cell_code": (
        "单元网格编码应为 15 位数字，末三位从 001 起（14 位旧码不补位）",
        ("a unit grid code has 15 digits, the last three from 001 (14-digit codes are not padded)"),
    ),
    "not_a_time": (
        (
            "不是时间“{value}”：应如 2024-11-05 08:30:00，或在映射的 [times] formats 中写明；"
            "没有的时间留空"
        ),
        (
            "not readable as a time: write it like 2024-11-05 08:30:00, or name its format in "
            "[times] formats of the mapping; leave a time that nobody knows empty"
        ),
    ),
    "time_out_of_range": (
        "“{value}”不在 {first} 至 {last} 年间，多半是占位日期：改正，没有的时间留空",
        (
            "not in the years {first} to {last}, probably a placeholder: correct it, or leave a "
            "time that nobody knows empty"
        ),
    ),
    "stage_order": ("早于{before}：核对两个时间", "is before {before}: check both times"),
    "not_a_number": (
        "坐标“{value}”不是数字：改正，或清空后按无坐标导入",
        "the coordinate is no number: correct it, or empty it to import the row without a point",
    ),
    "not_a_point": (
        "几何是 {value}，案件应为点：改为点，或清空",
        "the geometry is a {value}, a case is a point: make it one, or empty it",
    ),
    "unknown_crs": (
        "坐标系“{value}”未知：应为 WGS84、CGCS2000、GCJ-02、BD-09 或 EPSG:n",
        "unknown CRS: expected WGS84, CGCS2000, GCJ-02, BD-09 or EPSG:n",
    ),
    "unknown_region": (
        "区域“{value}”不在城市配置中：改为配置中的名称、简称或编码",
        "unknown region: use a name, alias or code of the city profile",
    ),
    "unknown_stage": ("未知的阶段“{value}”：应为 {allowed}", "unknown stage: expected {allowed}"),
    "unknown_result": (
        "未知的核查结果“{value}”：应为 {allowed}",
        "unknown check result: expected {allowed}",
    ),
    "unknown_level": ("未知的层级“{value}”：应为 {allowed}", "unknown level: expected {allowed}"),
    "no_stage": (
        "该行没有任何阶段时间：补填至少一个",
        "the row has no time of any stage: fill in at least one",
    ),
    "no_stage_of_value": (
        "{column}“{value}”没有对应的阶段时间：补填该阶段的时间，或清空此值",
        "{column} {value} belongs to a stage without a time: fill in the time, or empty the value",
    ),
    "unknown_case": (
        "没有案件 {value}：先导入该案件",
        "there is no case {value}: import the case first",
    ),
    "unknown_complaint": (
        "没有投诉 {value}：先导入该投诉",
        "there is no complaint {value}: import the complaint first",
    ),
    "illegal_transition": (
        "“{stage}”不能在“{previous}”之后（{at}）：核对先后时间，或补上中间的阶段",
        "{stage} cannot follow {previous} ({at}): check the times, or add the stage between",
    ),
    "after_refused": (
        "同一案件前面的事件被退回：先改正它，再导入本行",
        "an earlier event of the case is refused: mend that one, then import this row again",
    ),
    "repeated_record": (
        "文件中前面已有 {value} 的同一条记录：只保留正确的一行",
        "an earlier row of the file is the same record ({value}): keep the right one",
    ),
    "duplicate_row": (
        "与文件中前面的行完全相同：无需处理",
        "the same as an earlier row of the file: nothing to do",
    ),
    "duplicate_case_no": (
        "文件中已有案件编号 {value}，内容不同：只保留正确的一行",
        "an earlier row of the file has this case number with other content: keep the right one",
    ),
}
REJECT_HEADERS = {
    "zh": ("退回行号", "退回列", "退回值", "退回规则", "退回处理办法"),
    "en": ("Rejected row", "Rejected column", "Rejected value", "Rejected by", "Remedy"),
}
"""What a rejects file says of each row, before the row itself."""


def remedy(rule: str, language: str, **facts: object) -> str:
    """Return what to do about a reject, in the language of the city."""
    chinese, english = RULES[rule]
    return (chinese if language.startswith("zh") else english).format(**facts)


def reject_headers(language: str) -> tuple[str, ...]:
    """Return the headers of a rejects file in the language of the city."""
    return REJECT_HEADERS["zh" if language.startswith("zh") else "en"]


def reason_columns(headers: Sequence[str]) -> int:
    """Return how many columns at the start are reasons; 0: this is no rejects file."""
    names = REJECT_HEADERS.values()
    return next((len(own) for own in names if tuple(headers[: len(own)]) == own), 0)
