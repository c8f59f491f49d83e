"""
The case ledger: stages of a case, and the records beside it (案件台账).

`case_event` is append-only and the truth about a case's stages; the stage times of a case are its
projection. Tasks, complaints, call-backs, whistles and checks are counted in units of their own:
51 complaints are not 51 cases.
"""

from __future__ import annotations

from enum import StrEnum

from gridgis.model.case import CASE_FIELDS, CaseField, FieldKind


class Stage(StrEnum):
    """What happens to a case (案件阶段)."""

    REPORTED = "reported"
    VERIFIED = "verified"
    ACCEPTED = "accepted"
    FILED = "filed"
    DISPATCHED = "dispatched"
    RETURNED = "returned"
    ACT_FIRST = "act_first"
    DISPOSED = "disposed"
    CHECKED = "checked"
    CLOSED = "closed"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    EXTENDED = "extended"
    REMINDED = "reminded"
    VOIDED = "voided"
    REOPENED = "reopened"


STAGE_NAMES = {
    Stage.REPORTED: "上报",
    Stage.VERIFIED: "核实",
    Stage.ACCEPTED: "受理",
    Stage.FILED: "立案",
    Stage.DISPATCHED: "派遣",
    Stage.RETURNED: "回退",
    Stage.ACT_FIRST: "先行处置",
    Stage.DISPOSED: "处置",
    Stage.CHECKED: "核查",
    Stage.CLOSED: "结案",
    Stage.SUSPENDED: "挂账",
    Stage.RESUMED: "恢复",
    Stage.EXTENDED: "延期",
    Stage.REMINDED: "三级提醒",
    Stage.VOIDED: "作废",
    Stage.REOPENED: "重新立案",
}
CHECK_RESULTS = {"pass": "合格", "substandard": "不合格"}
WHISTLE_LEVELS = {"city": "市级", "district": "区级", "street": "街道"}

ONCE_STAGES: tuple[Stage, ...] = (
    Stage.REPORTED,
    Stage.VERIFIED,
    Stage.ACCEPTED,
    Stage.FILED,
    Stage.DISPATCHED,
    Stage.DISPOSED,
    Stage.CHECKED,
    Stage.CLOSED,
    Stage.SUSPENDED,
    Stage.VOIDED,
)
"""Stages that a wide export has one column each for, `STAGE_at`."""

SIDE_STAGES = frozenset({Stage.SUSPENDED, Stage.RESUMED, Stage.EXTENDED, Stage.REMINDED})
"""Stages that leave a case where it is."""
_OPEN = (
    Stage.REPORTED,
    Stage.VERIFIED,
    Stage.ACCEPTED,
    Stage.FILED,
    Stage.DISPATCHED,
    Stage.RETURNED,
    Stage.ACT_FIRST,
    Stage.DISPOSED,
    Stage.CHECKED,
    Stage.REOPENED,
)
FOLLOWS: dict[Stage, tuple[Stage | None, ...]] = {
    Stage.REPORTED: (None,),
    Stage.VERIFIED: (None, Stage.REPORTED),
    Stage.ACCEPTED: (None, Stage.REPORTED, Stage.VERIFIED),
    Stage.FILED: (None, Stage.REPORTED, Stage.VERIFIED, Stage.ACCEPTED),
    Stage.DISPATCHED: (
        Stage.ACCEPTED,
        Stage.FILED,
        Stage.DISPATCHED,
        Stage.RETURNED,
        Stage.ACT_FIRST,
        Stage.CHECKED,
        Stage.REOPENED,
    ),
    Stage.RETURNED: (Stage.DISPATCHED,),
    Stage.ACT_FIRST: (Stage.FILED, Stage.DISPATCHED, Stage.RETURNED),
    Stage.DISPOSED: (Stage.DISPATCHED, Stage.ACT_FIRST, Stage.CHECKED),
    Stage.CHECKED: (Stage.DISPOSED, Stage.CHECKED),
    Stage.CLOSED: (Stage.CHECKED,),
    Stage.VOIDED: _OPEN,
    Stage.REOPENED: (Stage.CLOSED,),
}
"""What a stage may follow; None: it may be the first that is known. Closing needs a check that was
passed; 受理 and 立案 may be one step, 核实 is for citizens' reports only."""


def _text(name: str, zh: str, en: str, *aliases: str, required: bool = False) -> CaseField:
    return CaseField(name, FieldKind.TEXT, zh, en, required=required, aliases=aliases)


def _code(name: str, zh: str, en: str, *aliases: str, required: bool = False) -> CaseField:
    return CaseField(name, FieldKind.CODE, zh, en, required=required, aliases=aliases)


def _time(name: str, zh: str, en: str, *, required: bool = False) -> CaseField:
    return CaseField(name, FieldKind.TIME, zh, en, required=required)


def _flag(name: str, zh: str, en: str) -> CaseField:
    return CaseField(name, FieldKind.BOOL, zh, en)


_CASE_NO = _code("case_no", "案件编号", "Case number", "案件号", "任务号", required=True)
_DUE = _time("due_at", "处置截止时间", "Due")
_NOTE = _text("note", "备注", "Note")

EVENT_FIELDS: tuple[CaseField, ...] = (
    _CASE_NO,
    _text("stage", "阶段", "Stage", "环节", "操作"),
    _time("at", "时间", "Time"),
    _code("event_no", "事件编号", "Event number"),
    *(
        _time(f"{stage}_at", f"{STAGE_NAMES[stage]}时间", stage.capitalize())
        for stage in ONCE_STAGES
    ),
    _DUE,
    _text("result", "核查结果", "Check result"),
    _text("org", "承办单位", "Organisation", "处置单位"),
    _text("actor", "经办人", "Actor"),
    _NOTE,
)
TASK_FIELDS: tuple[CaseField, ...] = (
    _code("task_no", "派遣任务号", "Task number", required=True),
    _CASE_NO,
    _time("due_at", "派遣截止时间", "Dispatch due", required=True),
    _time("dispatched_at", "派遣时间", "Dispatched"),
    _text("dispatcher_org", "派遣单位", "Dispatcher"),
    _text("disposing_org", "承办单位", "Disposing organisation"),
    _flag("is_rework", "是否返工", "Rework"),
    _flag("is_hand_back", "是否回退重派", "After a hand-back"),
)
COMPLAINT_FIELDS: tuple[CaseField, ...] = (
    _code("complaint_no", "投诉编号", "Complaint number", required=True),
    _code("case_no", "案件编号", "Case number"),
    _text("source", "投诉渠道", "Source", required=True),
    _time("complained_at", "投诉时间", "Complained", required=True),
    _time("response_due_at", "响应截止时间", "Response due"),
    _time("responded_at", "响应时间", "Responded"),
    _text("stated_region", "所属区域", "Stated region"),
    _text("place", "投诉地点", "Place"),
    _text("description", "投诉内容", "Description"),
)
CALLBACK_FIELDS: tuple[CaseField, ...] = (
    _code("complaint_no", "投诉编号", "Complaint number", required=True),
    _time("called_at", "回访时间", "Called", required=True),
    _flag("disposed", "是否处置", "Disposed"),
    _flag("satisfied", "是否满意", "Satisfied"),
    _NOTE,
)
WHISTLE_FIELDS: tuple[CaseField, ...] = (
    _text("whistle_no", "吹哨编号", "Whistle number", required=True),
    _text("level", "吹哨层级", "Level", required=True),
    _text("stated_region", "所属区域", "Stated region", required=True),
    _time("blown_at", "吹哨时间", "Blown", required=True),
    _text("title", "吹哨事项", "Title"),
    _text("participants", "参与单位", "Participants"),
    _text("cases", "关联案件", "Cases"),
    _time("resolved_at", "解决时间", "Resolved"),
)
CHECK_FIELDS: tuple[CaseField, ...] = (
    _CASE_NO,
    _time("checked_at", "抽查时间", "Checked", required=True),
    _text("result", "抽查结果", "Result", required=True),
    _text("problem", "存在问题", "Problem"),
    _text("checker", "抽查单位", "Checker"),
)
RECORD_FIELDS: dict[str, tuple[CaseField, ...]] = {
    "cases": CASE_FIELDS,
    "events": EVENT_FIELDS,
    "tasks": TASK_FIELDS,
    "complaints": COMPLAINT_FIELDS,
    "callbacks": CALLBACK_FIELDS,
    "whistles": WHISTLE_FIELDS,
    "checks": CHECK_FIELDS,
}
"""The kinds of records that can be imported, and their fields (可导入的记录)."""


def required_fields(kind: str) -> tuple[str, ...]:
    """Return the names of the fields that every record of a kind has (必填字段)."""
    return tuple(field.name for field in RECORD_FIELDS[kind] if field.required)
