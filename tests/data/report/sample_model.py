"""
A report model made by hand in the shape of the report of November 2024, for tests of its forms.

Its numbers are those of the published report or invented; nothing here was counted.
"""

from decimal import Decimal

import geopandas as gpd
from shapely.geometry import Polygon, box

from gridgis.model.figures import Figure, sliced
from gridgis.model.report import (
    Cell,
    Chart,
    Issue,
    Paragraph,
    RegionMap,
    ReportModel,
    Section,
    Series,
    Table,
)

NOTICE = "合成数据 / synthetic data"
REGIONS = (
    ("990101", "五华区", 37664), ("990102", "盘龙区", 19473), ("990103", "官渡区", 33012),
    ("990104", "西山区", 31877), ("990105", "呈贡区", 20371), ("9901Z1", "经开区", 11539),
    ("9901Z2", "高新区", 4136), ("9901Z3", "度假区", 2112), ("990106", "寻甸县", 512),
    ("990107", "宜良县", 363), ("990108", "禄劝县", 494), ("990109", "石林县", 394),
    ("990110", "安宁市", 0), ("9901Z4", "滇中新区（直管区）", 381),
)  # fmt: skip
TYPES = (
    ("创建类", 300626, 305933, 304485, 308269), ("诉求类", 17584, 18489, 18625, 20001),
    ("常规类", 95263, 97365, 96842, 98647), ("环保类", 5310, 5481, 5353, 5709),
    ("隐患类", 7658, 8775, 8470, 9401), ("合计", 426441, 436043, 433775, 442027),
)  # fmt: skip
HOSTILE = (
    "<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "=1+1", "+86 10", "-3",
    "@SUM(A1)", '＝HYPERLINK("http://example.org")', "{{ 7*7 }} {% raw %}", "${7*7} `x` \\",
    "a\x00b\x07c\x1b[31m", "$\\frac{1}{2}$ $x_1", "&amp; <b> ]]>", "\u202ergb", "_x0041_", "😀 𠮷",
    "超长" * 60, "Donaudampfschifffahrtsgesellschaftskapitaen" * 4, "\ttab\nline", "http://example.org/x.png",
)  # fmt: skip
"""Texts that come from files of others."""

PREFACE = (
    "为认真贯彻落实市委、市政府的总体部署和要求，充分发挥网格化、数字化管理在城乡综合管理中的"
    "监督指挥和派遣处置作用，现将11月份全市网格化管理案件上报、派遣和处置等情况总结分析如下："
)
ADVICE = "各单位要结合系统运行数据和工作开展情况，认真梳理存在的问题，采取有效措施推进问题整改。"
RATE_IS = "结案数÷累计应结案数，均折算为基本案件。"
ON_TIME_IS = "按期结案数÷应结案数，均折算为基本案件。"
VOLUME_IS = "受理案件与自处置案件之和，按发生区域统计。"


class Maker:
    """Collects figures and the texts that they print as."""

    def __init__(self):
        self.figures = {}
        self.texts = {}

    def count(self, key, label, number, over=("intake", "n"), *, definition=VOLUME_IS):
        """Add a count and return its cell."""
        return self._add(Figure(key, label, definition, Decimal(number), sliced(*over)))

    def rate(self, key, label, part, whole, *, fact="closing", parts=("closed", "cumulative"),
             definition=RATE_IS):  # fmt: skip
        """Add a rate and return its cell."""
        over, of = (sliced(fact, name) for name in parts)
        return self._add(Figure(key, label, definition, Decimal(part), over, Decimal(whole), of))

    def _add(self, figure):
        if figure.denominator is None:
            text = f"{figure.numerator:f}"
        elif figure.denominator == 0:
            text = "—"
        elif figure.numerator == figure.denominator:
            text = "100%"
        else:
            text = f"{figure.numerator * 100 / figure.denominator:.2f}%"
        self.figures[figure.key], self.texts[figure.key] = figure, text
        return Cell(text, figure.key)


def sample_model(*, hostile=False, language="zh-CN", status="draft", tables=0, region=None):
    """
    Return a report with every kind of block.

    Parameters
    ----------
    hostile : bool
        Put texts that attack into every place that takes one.
    tables : int
        So many more tables and charts.
    """
    make = Maker()
    sections = [
        Section("preface", "", (Paragraph("preface", PREFACE),)),
        _intake(make), _dispatch(make), _closing(make), _special(make), _cases(make), _outlook(),
        _annex(make),
    ]  # fmt: skip
    if tables:
        sections.insert(-1, _many(make, tables))
    if hostile:
        sections.insert(1, _hostile(make))
    signed = {"signed_by": "张三", "signed_at": "2024-12-05T09:30:00+08:00"}
    return ReportModel(
        city="样例市", city_en="Sample City", language=language, month="2024-11", region=region,
        title="样例市网格化服务管理工作情况" + (HOSTILE[0] if hostile else ""),
        synthetic=True, notice=NOTICE, sections=tuple(sections),
        figures=make.figures, texts=make.texts,
        issue=Issue(
            2, status, 41, "2024-12-03T08:15:00+08:00",
            **(signed if status == "signed" else {}),
            changes=("官渡区结案率：99.01% → 99.02%", "度假区受理案件：2111 → 2112"),
        ),
    )  # fmt: skip


def sample_shapes(crs="EPSG:4326"):
    """Return squares for all regions but the last, one of them approximate, one with a hole."""
    shapes = [box(x, y, x + 0.2, y + 0.2) for y in (24.4, 24.6, 24.8) for x in
              (102.2, 102.4, 102.6, 102.8)] + [box(102.43, 24.63, 102.46, 24.66)]  # fmt: skip
    shapes[0] = Polygon(
        shapes[0].exterior.coords, [box(102.25, 24.45, 102.3, 24.5).exterior.coords]
    )
    return gpd.GeoDataFrame(
        {
            "code": [code for code, *_ in REGIONS],
            "name": [name for _, name, _ in REGIONS],
            "approximate": [code.startswith("9901Z") for code, *_ in REGIONS],
            "attribution": ["手绘示例"] * len(REGIONS),
        },
        geometry=[*shapes, None],
        crs="EPSG:4326",
    ).to_crs(crs)


def _intake(make):
    accepted = make.count("intake.accepted", "受理案件", 166595).text
    city = make.count("intake.city", "市级网格监督员上报并立案", 64452).text
    share = make.rate(
        "intake.city.share",
        "市级网格监督员上报占比",
        64452,
        166595,
        fact="intake",
        parts=("n", "n"),
        definition="市级上报÷受理案件。",
    ).text
    own = make.count("intake.self_handled", "自处置案件", 20775).text
    total = sum(number for *_, number in REGIONS)
    rows = tuple(
        (
            Cell(str(rank)), Cell(name), make.count(f"volume.{code}", f"{name}案件数量", number),
            make.rate(f"volume.{code}.share", f"{name}案件占比", number, total, fact="intake",
                      parts=("n", "n"), definition="本区域案件数量÷全市案件数量。"),
        )
        for rank, (code, name, number) in enumerate(REGIONS, 1)
    )  # fmt: skip
    rest = tuple(
        (Cell(""), Cell(name), make.count(f"volume.{key}", name, number), Cell("—"))
        for key, name, number in (("unlocated", "未定位", 12), ("cross_area", "跨区", 0))
    )
    whole = (
        Cell(""),
        Cell("合计"),
        make.count("volume.total", "全市案件数量", total + 12),
        Cell("100%"),
    )
    return Section("intake", "一、网格监督情况", (
        Paragraph(
            "intake.all",
            f"11月份，市网格化管理平台共受理网格案件{accepted}件，其中，市级网格监督员上报并立案{city}件，"
            f"占立案总量的{share}。此外，市、区网格监督员自处置轻微问题{own}件。",
            ("intake.accepted", "intake.city", "intake.city.share", "intake.self_handled"),
        ),
        Paragraph(
            "intake.missed", "漏报情况待巡查盲区分析接入后补充。", placeholder=True,
        ),
        Table("volume", "各区域案件数量", ("序号", "区域", "案件数量（件）", "占比"),
              (*rows, *rest, whole), note="注：案件量受巡查强度影响。", total_rows=3),
        RegionMap("volume.map", "各区域案件数量分布",
                  {code: float(number) for code, _, number in REGIONS if code != "990109"},
                  {code: f"{number}件" for code, _, number in REGIONS if code != "990109"}, "件",
                  note="注：分级不含未定位案件。"),
        Chart("trend", "案件数量月度变化", "line",
              tuple(f"{month}月" for month in (11, 12, *range(1, 12))),
              (Series("受理", tuple(150000.0 + 1280 * n for n in range(13))),
               Series("立案", (*(140000.0 + 1111 * n for n in range(6)), None,
                               *(149000.0 + 1100 * n for n in range(6))))),
              "件", note="注：11月起考核暂停，前后不可直接比较。", break_after=12),
    ))  # fmt: skip


def _dispatch(make):
    def said(key, name, on_time, due):
        make.count(f"dispatch.{key}.due", f"{name}应派遣任务", due, ("tasks", "due"),
                   definition="派遣时限在本月的任务。")  # fmt: skip
        make.rate(
            f"dispatch.{key}",
            f"{name}按时派遣率",
            on_time,
            due,
            fact="tasks",
            parts=("on_time", "due"),
            definition="按时派遣÷应派遣，按派遣任务计。",
        )
        return f"dispatch.{key}.due", f"dispatch.{key}"

    keys = [*said("990104", "西山区", 23612, 24314), *said("990108", "禄劝县", 494, 494),
            *said("990109", "石林县", 394, 394)]  # fmt: skip
    return Section("dispatch", "二、案件派遣情况", (
        Paragraph(
            "dispatch.main",
            "（一）主城五区和三个开发（度假）区。网格案件按时派遣率最高的是西山区，应派遣案件24314件，按时派遣23612件，"
            "按时派遣率为97.11%。",
            tuple(keys[:2]),
        ),
        Paragraph(
            "dispatch.others",
            "（二）其他县（市）区。网格案件按时派遣率最高的是禄劝县（应派遣和按时派遣数均为494件）和石林县（应派遣和按时派遣数均为394件），"
            "按时派遣率均为100%。",
            tuple(keys[2:]),
        ),
    ))  # fmt: skip


def _closing(make):
    rows = []
    for name, on_time, due, closed, cumulative in TYPES:
        key = f"closing.{name}"
        counts = (
            ("on_time", "按期结案数", on_time),
            ("due", "应结案数", due),
            ("closed", "结案数", closed),
            ("cumulative", "累计应结案数", cumulative),
        )
        cells = [
            make.count(f"{key}.{measure}", f"{name}{label}", number, ("closing", measure),
                       definition=f"{label}，折算为基本案件。")
            for measure, label, number in counts
        ]  # fmt: skip
        cells += [
            make.rate(f"{key}.closure_rate", f"{name}结案率", closed, cumulative),
            make.rate(f"{key}.on_time_closure_rate", f"{name}按期结案率", on_time, due,
                      parts=("on_time", "due"), definition=ON_TIME_IS),
        ]  # fmt: skip
        rows.append((Cell(name), *cells))
    none = make.rate("closing.none", "安宁市结案率", 0, 0)
    wide = tuple(
        (Cell(name), *(make.count(f"wide.{code}.{n}", f"{name}{kind}{part}", number % (97 + n))
                       for n, (kind, part) in enumerate(
                           (kind, part) for kind, *_ in TYPES for part in ("未结", "超期"))), none)
        for code, name, number in REGIONS
    )  # fmt: skip
    heads = tuple(f"{kind}{part}" for kind, *_ in TYPES for part in ("未处置结案", "处置超期"))
    names = tuple(name for _, name, _ in REGIONS)
    return Section("closing", "三、案件处置情况", (
        Paragraph(
            "closing.all",
            "11月份纳入网格案件处置结案率统计范围的案件折算为基本案件数共有442027件，处置结案433775件，结案率98.13%，按期结案率97.80%。",
            ("closing.合计.cumulative", "closing.合计.closed", "closing.合计.closure_rate",
             "closing.合计.on_time_closure_rate"),
        ),
        Table("types", "各类型案件处置结案情况",
              ("类型", "按期结案数", "应结案数", "结案数", "累计应结案数", "结案率", "按期结案率"),
              tuple(rows), total_rows=1),
        Chart("rates", "各类型结案率", "bar", tuple(name for name, *_ in TYPES[:5]),
              (Series("结案率", (98.77, 93.12, 98.17, 93.76, 90.10)),
               Series("按期结案率", (98.27, 95.11, 97.84, None, 87.27))), "%"),
        Paragraph(
            "closing.regions",
            "在其他县（市）区中，石林县、安宁市和禄劝县结案率最高，均为100%。",
            edited="在其他县（市）区中，石林县和禄劝县结案率最高；安宁市没有应结案件，结案率为—。",
            figures=("closing.none",),
        ),
        Table("wide", "各区域各类型未结与超期案件", ("区域", *heads, "结案率"), wide,
              note="注：13 列以上的表横排。"),
        Chart("regions", "各区域案件数量", "bar", names,
              (Series("本月", tuple(float(number) for *_, number in REGIONS)),
               Series("上月", tuple(number * 0.9 for *_, number in REGIONS))), "件"),
    ))  # fmt: skip


def _special(make):
    make.count("whistles.total", "吹哨次数", 8, ("whistles", "n"), definition="本月吹响的哨。")
    make.count("whistles.district", "区级哨", 2, ("whistles", "n"), definition="本月吹响的哨。")
    return Section("special", "四、其他专项工作开展情况", (
        Paragraph(
            "whistles",
            "（一）运用“党建引领、吹哨报到”工作机制开展吹哨8次。其中，区级哨2次，街道哨6次。吹哨次数最多的区是盘龙区和呈贡区（均为3次）。",
            ("whistles.total", "whistles.district"),
        ),
        Table("empty", "本月无记录的表", ("区域", "次数"), ()),
    ))  # fmt: skip


def _cases(make):
    make.count("key.resolved", "难点热点问题", 138, ("key_cases", "resolved"),
               definition="本月结案的重点案件。")  # fmt: skip
    return Section("examples", "五、正反面典型案例", (
        Paragraph("positive", "盘龙区积极主动解决了138件难点热点问题。", ("key.resolved",)),
        Paragraph("recurrent", "反复点位待复发分析接入后补充。", placeholder=True),
    ))  # fmt: skip


def _outlook():
    return Section("next", "六、下一步工作打算和建议", tuple(
        Paragraph(f"next.{n}", f"（{n}）扎实推进网格化管理问题整改。" + ADVICE * 3)
        for n in "一二三"
    ))  # fmt: skip


def _annex(make):
    total = make.count("volume.total", "全市案件数量", sum(n for *_, n in REGIONS) + 12)
    rows = tuple((Cell(f"对账 {n}"), total, total, Cell("0"), Cell("平")) for n in range(1, 61))
    return Section("reconciliation", "附：对账表", (
        Table("reconciliation", "合计与分项", ("项目", "合计", "分项之和", "差", "结果"), rows),
    ))  # fmt: skip


def _many(make, tables):
    blocks = []
    for n in range(tables):
        if n % 2:
            blocks.append(
                Chart(
                    f"more.{n}",
                    f"图 {n}",
                    "bar",
                    tuple(name for _, name, _ in REGIONS),
                    (Series("数量", tuple(float(m) for *_, m in REGIONS)),),
                    "件",
                )
            )
            continue
        rows = tuple(
            (Cell(name), *(make.count(f"more.{n}.{code}.{c}", f"{name} {n}-{c}", number % 1000)
                           for c in range(6)))
            for code, name, number in REGIONS
        )  # fmt: skip
        blocks.append(
            Table(f"more.{n}", f"表 {n}", ("区域", *(f"指标{c}" for c in range(6))), rows)
        )
    return Section("more", "更多", tuple(blocks))


def _hostile(make):
    make.count("hostile/../key?x=1&y", HOSTILE[0], 3, definition=HOSTILE[1])
    return Section("hostile", f"坏文本 {HOSTILE[1]}", (
        *(Paragraph(f"hostile.{n}", text) for n, text in enumerate(HOSTILE)),
        Paragraph("hostile.edited", "3", ("hostile/../key?x=1&y",), edited=HOSTILE[0] + " 3"),
        Table("hostile", HOSTILE[0], (HOSTILE[2], HOSTILE[0], *HOSTILE[5:7]),
              tuple((Cell(text), Cell(text), Cell("3", "hostile/../key?x=1&y"), Cell(HOSTILE[2]))
                    for text in HOSTILE), note=HOSTILE[1]),
        Chart("hostile", HOSTILE[10], "bar", HOSTILE,
              (Series(HOSTILE[0], tuple(float(n) for n in range(len(HOSTILE)))),), HOSTILE[10]),
        RegionMap("hostile.map", HOSTILE[0], {"990101": 1.0, HOSTILE[0]: 2.0},
                  {"990101": HOSTILE[10], HOSTILE[0]: "😀"}, HOSTILE[0]),
    ))  # fmt: skip
