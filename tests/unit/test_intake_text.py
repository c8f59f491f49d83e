"""Text tables: encodings, delimiters, headers, ragged rows, quotation marks (分隔文本)."""

import gzip

import pytest

from gridgis.errors import SchemaError
from gridgis.intake import delimited
from gridgis.intake.reader import open_table

ROWS = "案件编号,地址\nA1,翠湖西路\nA2,北京路\n"


def walk(path, **options):
    """Return headers, rows by number, and ragged rows by number."""
    table = open_table(path, **{"language": "zh-CN", **options})
    rows, ragged = {}, {}
    for chunk in table.chunks(table.headers):
        values = [column.to_pylist() for column in chunk.table.columns]
        rows |= dict(zip(chunk.numbers.tolist(), zip(*values, strict=True), strict=True))
        ragged |= {row.number: row.fields for row in chunk.ragged}
    return table.headers, rows, ragged


def written(folder, content, name="cases.csv"):
    """Write bytes or text to a file."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        ROWS.encode(),
        b"\xef\xbb\xbf" + ROWS.encode(),
        ROWS.encode("gb18030"),
        ROWS.encode("utf-16"),
        ROWS.replace(",", "\t").encode("utf-16"),
        ROWS.replace(",", ";").replace("\n", "\r\n").encode(),
        ROWS.replace("\n", "\r").encode("gb18030"),
    ],
    ids=["utf-8", "utf-8 mark", "gb18030", "utf-16", "tabs", "semicolons, crlf", "cr"],
)
def test_encoding_and_delimiter_are_found(content, tmp_path):
    """The same table comes out of every encoding, delimiter and line end."""
    expected = (("案件编号", "地址"), {1: ("A1", "翠湖西路"), 2: ("A2", "北京路")}, {})
    assert walk(written(tmp_path, content)) == expected


def test_gzip_is_read_like_the_plain_file(tmp_path):
    """A gzipped file holds the same rows, whatever encoding is inside."""
    plain = walk(written(tmp_path, ROWS))
    packed = written(tmp_path, gzip.compress(ROWS.encode("gb18030")), "cases.csv.gz")
    assert walk(packed) == plain


def test_a_damaged_gzip_is_named(tmp_path):
    """A truncated gzip is refused as damaged."""
    whole = gzip.compress((ROWS * 2000).encode())
    with pytest.raises(SchemaError, match="damaged gzip"):
        open_table(written(tmp_path, whole[: len(whole) // 2], "cases.csv.gz"))


def test_damaged_utf8_is_not_taken_for_gb18030(tmp_path):
    """A bad byte after many UTF-8 characters is a fault with its line, never garbled text."""
    content = (ROWS + "A3,金碧路\n" * 20).encode() + b"A4,\xff\n"
    with pytest.raises(SchemaError, match=r"line 24 is not UTF-8"):
        open_table(written(tmp_path, content))


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_latin_texts_are_not_taken_for_gb18030(encoding, tmp_path):
    """Outside China what is not UTF-8 is refused with line, byte and remedy; declared, it reads."""
    path = written(tmp_path, "no,rue\nA1,Général\nA2,Rue de l'Église\n".encode(encoding))
    said = r"line 2 is not UTF-8 text \(byte 11\).*--encoding .* cp1252 or latin-1"
    with pytest.raises(SchemaError, match=said):
        open_table(path, language="fr")
    _, rows, _ = walk(path, encoding=encoding, language="fr")
    assert rows == {1: ("A1", "Général"), 2: ("A2", "Rue de l'Église")}


def test_declared_encoding_is_held_to(tmp_path):
    """A file that is not in the declared encoding is refused with the line."""
    path = written(tmp_path, ROWS.encode("gb18030"))
    with pytest.raises(SchemaError, match="line 1 is not UTF-8"):
        open_table(path, encoding="utf-8")
    with pytest.raises(SchemaError, match="unknown; use utf-8 or gb18030"):
        open_table(path, encoding="klingon")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"  \r\n"])
def test_an_empty_file_is_refused(content, tmp_path):
    """A file without a header says that it is empty."""
    with pytest.raises(SchemaError, match="the file is empty"):
        open_table(written(tmp_path, content))


def test_titles_and_merged_headers_are_understood(tmp_path):
    """A title above is skipped; of two header rows the lower cell names the column."""
    content = (
        "2024年11月案件一览表,,,\n编号,时间,,地点\n,上报时间,结案时间,\nA1,2024-11-01,,北京路\n"
    )
    headers, rows, _ = walk(written(tmp_path, content), wanted=["上报时间", "结案时间", "编号"])
    assert headers == ("编号", "上报时间", "结案时间", "地点")
    assert rows == {1: ("A1", "2024-11-01", "", "北京路")}


@pytest.mark.parametrize("row", [2, 13, 14, 40, 20_000])
def test_a_header_is_found_in_any_row_that_is_named(row, tmp_path):
    """The row of the mapping counts, however far down; what stands above is no hint."""
    content = "a|title; with, marks\n" * (row - 1) + '编号,"地\n点"\nA1,北京路\n"A\n2",x\n'
    headers, rows, _ = walk(written(tmp_path, content), header_row=row)
    assert headers == ("编号", "地 点")
    assert rows == {1: ("A1", "北京路"), 2: ("A\n2", "x")}


@pytest.mark.parametrize(("row", "said"), [(20, "there are 3 rows"), (2, "that row is blank")])
def test_a_header_that_is_not_where_it_is_said_to_be_is_named(row, said, tmp_path):
    """A named row beyond the end, or a blank one, is told from an empty file."""
    path = written(tmp_path, "编号,地点\n\nA1,北京路\n")
    with pytest.raises(SchemaError, match=f"header is row {row} .*, but {said}"):
        open_table(path, header_row=row)


def test_equal_headers_get_their_path_or_position(tmp_path):
    """A column whose lower header is not unique is called by both cells."""
    content = "上报,,核查,\n时间,人员,时间,人员\n1,2,3,4\n"
    headers, _, _ = walk(written(tmp_path, content), wanted=["上报/时间", "核查/时间"])
    assert headers == ("上报/时间", "上报/人员", "核查/时间", "核查/人员")


def test_ragged_rows_keep_their_numbers(tmp_path, monkeypatch):
    """Rows with another number of columns are set aside, over many blocks, and none is lost."""
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 64)
    lines = [f"{n},p,q" if n % 7 == 0 else f"{n},p" for n in range(1, 201)]
    _, rows, ragged = walk(written(tmp_path, "a,b\n" + "\n".join(lines) + "\n"))
    assert {n: row[0] for n, row in rows.items()} == {n: str(n) for n in range(1, 201) if n % 7}
    assert ragged == {n: (str(n), "p", "q") for n in range(7, 201, 7)}


def test_values_over_several_lines_are_one_row(tmp_path):
    """A quoted line break is part of its value."""
    _, rows, _ = walk(written(tmp_path, 'a,b\n1,"x\ny"\n2,"say ""hi"""\n'))
    assert rows == {1: ("1", "x\ny"), 2: ("2", 'say "hi"')}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('a,b\n1,x\n2,"y\n3,z\n', 3),
        ('a,b\n1,"x\n2,y\n3,"z"\n4,w\n', 2),
        ('a,b\n"1\n2",x\n3,"y\n4,z\n', 4),
    ],
)
def test_an_unclosed_quotation_mark_is_refused(content, line, tmp_path):
    """A quotation mark that swallows rows is an error with its line: no row goes missing."""
    with pytest.raises(SchemaError, match=rf"line {line}: a quotation mark"):
        walk(written(tmp_path, content))


def test_a_value_longer_than_a_block_is_refused(tmp_path, monkeypatch):
    """What cannot be one value is named as an open quotation mark."""
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 256)
    with pytest.raises(SchemaError, match="quotation mark is never closed"):
        walk(written(tmp_path, 'a,b\n1,"' + "x,y\n" * 400 + "\n"))


def test_unknown_formats_are_refused(tmp_path):
    """A file of another kind is refused by its name."""
    with pytest.raises(SchemaError, match="unknown format"):
        open_table(written(tmp_path, b"x", "cases.docx"))
    with pytest.raises(SchemaError, match="no such file"):
        open_table(tmp_path / "absent.csv")
