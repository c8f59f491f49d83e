"""
The case record as gridgis knows it (案件字段).

One table of fields serves import (what a mapping may name), storage and export, so that the
names never drift apart. The glossary is `docs/reference/glossary.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where a case came from (问题来源)."""

    CITY_SUPERVISOR = "city_supervisor"
    DISTRICT_SUPERVISOR = "district_supervisor"
    HOTLINE_12345 = "hotline_12345"
    WECHAT = "wechat"
    SATELLITE_UAV = "satellite_uav"
    OTHER = "other"


class CaseStatus(StrEnum):
    """State of a case in its life cycle (案件状态)."""

    OPEN = "open"
    CLOSED = "closed"
    VOID = "void"
    SUSPENDED = "suspended"


STATUS_NAMES = {
    CaseStatus.OPEN: "未结案",
    CaseStatus.CLOSED: "已结案",
    CaseStatus.VOID: "已作废",
    CaseStatus.SUSPENDED: "已挂账",
}


class FieldKind(StrEnum):
    """Type of an importable column."""

    TEXT = "text"
    CODE = "code"
    TIME = "time"
    BOOL = "bool"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class CaseField:
    """One column that an import may fill."""

    name: str
    kind: FieldKind
    label_zh: str
    label_en: str
    required: bool = False
    aliases: tuple[str, ...] = ()


CASE_FIELDS: tuple[CaseField, ...] = (
    CaseField(
        "case_no",
        FieldKind.CODE,
        "案件编号",
        "Case number",
        required=True,
        aliases=("案件号", "任务号", "工单编号", "编号", "case_id", "id", "ticket"),
    ),
    CaseField(
        "subcategory",
        FieldKind.TEXT,
        "小类",
        "Subcategory",
        required=True,
        aliases=("小类名称", "问题小类", "案件小类", "小类代码", "type", "category"),
    ),
    CaseField(
        "source",
        FieldKind.TEXT,
        "问题来源",
        "Source",
        required=True,
        aliases=("来源", "案件来源", "信息来源", "source"),
    ),
    CaseField(
        "description",
        FieldKind.TEXT,
        "问题描述",
        "Description",
        aliases=("描述", "案件描述", "description"),
    ),
    CaseField(
        "address_text",
        FieldKind.TEXT,
        "地址",
        "Address",
        aliases=("地址描述", "案发地址", "事发地址", "位置描述", "location", "address"),
    ),
    CaseField(
        "stated_region",
        FieldKind.TEXT,
        "所属区域",
        "Stated region",
        aliases=("区县", "所属区县", "所属区", "行政区", "责任区", "district", "neighborhood"),
    ),
    CaseField(
        "x",
        FieldKind.TEXT,
        "经度",
        "X or longitude",
        aliases=("x坐标", "X", "lon", "lng", "longitude", "坐标x"),
    ),
    CaseField(
        "y",
        FieldKind.TEXT,
        "纬度",
        "Y or latitude",
        aliases=("y坐标", "Y", "lat", "latitude", "坐标y"),
    ),
    CaseField(
        "crs",
        FieldKind.TEXT,
        "坐标系",
        "CRS of the coordinates",
        aliases=("坐标系统", "坐标类型", "crs"),
    ),
    CaseField(
        "cell_code_stated",
        FieldKind.CODE,
        "单元网格编码",
        "Stated cell code",
        aliases=("单元网格", "网格编码", "所属网格", "单元网格号"),
    ),
    CaseField(
        "severity",
        FieldKind.TEXT,
        "严重程度",
        "Severity",
        aliases=("问题等级", "案件等级", "severity"),
    ),
    CaseField(
        "disposing_org",
        FieldKind.TEXT,
        "承办单位",
        "Disposing organisation",
        aliases=("处置单位", "处置部门", "主办单位", "department"),
    ),
    CaseField(
        "self_handled",
        FieldKind.BOOL,
        "是否自处置",
        "Self-handled",
        aliases=("自处置", "自行处置", "自处理"),
    ),
    CaseField("is_key", FieldKind.BOOL, "是否重点", "Key case", aliases=("重点案件", "重点")),
    CaseField("discovered_at", FieldKind.TIME, "发现时间", "Discovered"),
    CaseField(
        "reported_at",
        FieldKind.TIME,
        "上报时间",
        "Reported",
        required=True,
        aliases=("上报日期", "登记时间", "open_dt", "opened"),
    ),
    CaseField("verified_at", FieldKind.TIME, "核实时间", "Verified"),
    CaseField("accepted_at", FieldKind.TIME, "受理时间", "Accepted"),
    CaseField("filed_at", FieldKind.TIME, "立案时间", "Filed"),
    CaseField("dispatched_at", FieldKind.TIME, "派遣时间", "Dispatched"),
    CaseField("due_at", FieldKind.TIME, "处置截止时间", "Due", aliases=("截止时间", "target_dt")),
    CaseField("disposed_at", FieldKind.TIME, "处置时间", "Disposed"),
    CaseField("checked_at", FieldKind.TIME, "核查时间", "Checked"),
    CaseField(
        "closed_at",
        FieldKind.TIME,
        "结案时间",
        "Closed",
        aliases=("结案日期", "closed_dt", "closed"),
    ),
    CaseField("voided_at", FieldKind.TIME, "作废时间", "Voided"),
    CaseField("suspended_at", FieldKind.TIME, "挂账时间", "Suspended"),
)

CASE_FIELD_NAMES: frozenset[str] = frozenset(field.name for field in CASE_FIELDS)

STAGE_ORDER: tuple[str, ...] = (
    "discovered_at",
    "reported_at",
    "verified_at",
    "accepted_at",
    "filed_at",
    "dispatched_at",
    "disposed_at",
    "checked_at",
    "closed_at",
)
