"""Open work as files: workbook, CSV, GeoJSON (待办导出)."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import TYPE_CHECKING

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from gridgis.errors import InputError, LimitExceeded
from gridgis.intake.rejects import XLSX_ROWS, protected
from gridgis.model.open_work import PROPOSALS, STAGE_LABELS
from gridgis.services.exports import NOTICE
from gridgis.services.open_work import ITEM_COLUMNS, STATE_LABELS, stream_work, work_head

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    from gridgis.model.open_work import WorkFilter
    from gridgis.services.context import Context
    from gridgis.store.open_work import Row

CSV_HEADER = (*ITEM_COLUMNS, "at", "synthetic")
SUFFIXES = (".xlsx", ".csv", ".geojson")
LINES = 500
LABELS = {
    "stage": ("环节", "Stage"),
    "case_no": ("案件编号", "Case number"),
    "task_no": ("派遣任务号", "Task number"),
    "subcategory_code": ("小类编码", "Subcategory code"),
    "subcategory_name": ("小类", "Subcategory"),
    "source": ("来源编码", "Source code"),
    "source_name": ("问题来源", "Source"),
    "region_key": ("区域编码", "Region code"),
    "region_name": ("区域", "Region"),
    "street_code": ("街道编码", "Street code"),
    "street_name": ("街道", "Street"),
    "cell_code": ("单元网格编码", "Cell code"),
    "disposing_org": ("承办单位", "Organisation"),
    "is_key": ("是否重点", "Key case"),
    "since_at": ("受理时间", "Accepted"),
    "limit_at": ("截止时间", "Due"),
    "state": ("状态", "State"),
    "hours_late": ("超期小时", "Hours late"),
    "hours_left": ("剩余小时", "Hours left"),
    "reminder_level": ("提醒级别", "Reminder level"),
    "reminder_name": ("提醒", "Reminder"),
    "hand_backs": ("回退次数", "Hand-backs"),
    "proposal": ("建议", "Proposal"),
    "lon": ("经度", "Longitude"),
    "lat": ("纬度", "Latitude"),
}
WORDS = {"stage": STAGE_LABELS, "state": STATE_LABELS, "proposal": PROPOSALS}
TIMES = ("since_at", "limit_at")


def csv_parts(context: Context, chosen: WorkFilter, head: Row) -> Iterator[bytes]:
    """
    Yield a CSV file of the items of a filter (导出 CSV).

    UTF-8 with a byte order mark, CRLF; text that a spreadsheet would run gets an apostrophe. The
    last columns say of which moment the rows are and whether they are synthetic.
    """
    yield ("\ufeff" + ",".join(CSV_HEADER) + "\r\n").encode()
    tail = (head["at"], "true" if head["synthetic"] else "false")
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    for number, item in enumerate(_items(context, chosen, head), start=1):
        writer.writerow([*(_csv_value(item[name]) for name in ITEM_COLUMNS), *tail])
        if number % LINES == 0:
            yield lines.getvalue().encode()
            lines.seek(0)
            lines.truncate()
    yield lines.getvalue().encode()


def geojson_parts(context: Context, chosen: WorkFilter, head: Row) -> Iterator[bytes]:
    """Yield a GeoJSON FeatureCollection of the items of a filter; without a point it is null."""
    members = json.dumps({"type": "FeatureCollection", **head}, ensure_ascii=False)
    yield f'{members[:-1]}, "features": [\n'.encode()
    lead = ""
    for item in _items(context, chosen, head):
        yield (lead + json.dumps(work_feature(item), ensure_ascii=False)).encode()
        lead = ",\n"
    yield b"\n]}\n"


def json_parts(
    context: Context, chosen: WorkFilter, head: Row, *, limit: int | None = None
) -> Iterator[bytes]:
    """Yield one JSON document: the head and `items`."""
    yield f'{json.dumps(head, ensure_ascii=False)[:-1]}, "items": ['.encode()
    lead = "\n"
    for item in _items(context, chosen, head, limit=limit):
        yield (lead + json.dumps(item, ensure_ascii=False)).encode()
        lead = ",\n"
    yield b"\n]}\n"


def work_feature(item: Row) -> Row:
    """Return one item as a GeoJSON feature."""
    lon, lat = item["lon"], item["lat"]
    return {
        "type": "Feature",
        "id": f"{item['stage']}:{item['task_no'] or item['case_no']}",
        "geometry": None if lon is None else {"type": "Point", "coordinates": [lon, lat]},
        "properties": {key: value for key, value in item.items() if key not in {"lon", "lat"}},
    }


def write_work(context: Context, chosen: WorkFilter, path: Path, *, at: str | None = None) -> Row:
    """
    Write all items of a filter to a file and return what it says about itself (导出待办).

    Parameters
    ----------
    path : Path
        `.xlsx`, `.csv` or `.geojson`.

    Raises
    ------
    InputError
        If the file is none of these, or cannot be written.
    LimitExceeded
        If a sheet cannot hold so many rows.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path.name}: expected a file that ends in {', '.join(SUFFIXES)}")
    head = work_head(context, chosen, at=at)
    part = path.with_name(f".partial-{path.name}")
    try:
        if suffix == ".xlsx":
            _save_xlsx(context, chosen, head, part)
        else:
            parts = csv_parts if suffix == ".csv" else geojson_parts
            with part.open("wb") as handle:
                handle.writelines(parts(context, chosen, head))
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        part.unlink(missing_ok=True)
    return head


def _items(
    context: Context, chosen: WorkFilter, head: Row, *, limit: int | None = None
) -> Iterator[Row]:
    """Yield the items of the moment that the head names."""
    return stream_work(context, chosen, at=str(head["at"]), limit=limit)


def _csv_value(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return protected(value) if isinstance(value, str) else value


def _save_xlsx(context: Context, chosen: WorkFilter, head: Row, path: Path) -> None:
    if int(str(head["total"])) > XLSX_ROWS:
        raise LimitExceeded(
            f"{head['total']} items, a sheet holds {XLSX_ROWS:,}: filter them, or name a .csv file"
        )
    chinese = context.city.language.startswith("zh")
    language = 0 if chinese else 1
    book = Workbook(write_only=True)
    page = book.create_sheet("待办" if chinese else "Open work")
    page.freeze_panes = "A2"
    nature = ("数据性质", "Nature of the data")[language]
    _append(page, [*(LABELS[name][language] for name in ITEM_COLUMNS), nature])
    notice = NOTICE if head["synthetic"] else ""
    for item in _items(context, chosen, head):
        _append(page, [*(_shown(name, item[name], language) for name in ITEM_COLUMNS), notice])
    _about(book.create_sheet("说明" if chinese else "About"), head, language)
    book.save(path)


def _about(page: WriteOnlyWorksheet, head: Row, language: int) -> None:
    """Say of which moment the list is, by which filters and rules, and what it counts."""
    _append(page, [("数据性质", "Nature of the data")[language], head["notice"] or ""])
    _append(page, [("时点", "Moment")[language], _moment(head["at"])])
    _append(page, [("数据截至", "Data as of")[language], _moment(head["as_of"])])
    for name, value in dict(head["filters"]).items():  # type: ignore[call-overload]
        _append(page, [("筛选", "Filter")[language], str(name), str(value)])
    titles = (
        ("环节", "单位", "状态", "件数", "已定位", "未定位", "滞留"),
        ("Stage", "Unit", "State", "Items", "Located", "Unlocated", "Stuck"),
    )
    _append(page, [])
    _append(page, list(titles[language]))
    for row in head["counts"]:  # type: ignore[attr-defined]
        words = STAGE_LABELS[row["stage"]][language], STATE_LABELS[row["state"]][language]
        numbers = (row["items"], row["located"], row["unlocated"], row["stuck"])
        _append(page, [words[0], row["unit"], words[1], *numbers])


def _shown(name: str, value: object, language: int) -> object:
    """Return a value in the words of the city's language."""
    if name in WORDS and value is not None:
        return WORDS[name][str(value)][language]
    if isinstance(value, bool):
        return ("是" if value else "否") if language == 0 else ("yes" if value else "no")
    return _moment(value) if name in TIMES else value


def _moment(value: object) -> str:
    """Return a moment as local date and time."""
    if value is None:
        return ""
    return datetime.fromisoformat(str(value)).replace(tzinfo=None).isoformat(" ", "seconds")


def _append(page: WriteOnlyWorksheet, values: list[object]) -> None:
    """Add a row: numbers are numbers, and no text is ever a formula."""
    page.append([_text(page, v) if isinstance(v, str) else v for v in values])


def _text(page: WriteOnlyWorksheet, value: str) -> object:
    """Return a text for a cell; one that openpyxl would take for a formula is marked as text."""
    text = ILLEGAL_CHARACTERS_RE.sub("", value)
    if not text.startswith("="):
        return text
    cell = WriteOnlyCell(page, value=text)
    cell.data_type = "s"
    return cell
