"""Answers kept in memory: how many there can be."""

from api.kept import ENTRY_BYTES, Kept


def test_kept_forgets_empty_answers_too():
    """An empty tile weighs its key and its place in the books, so memory has a bound."""
    made = []
    kept = Kept(max_bytes=3 * (ENTRY_BYTES + 1))
    for key in "abcda":
        kept.get(key, lambda key=key: made.append(key) or b"")
    assert made == ["a", "b", "c", "d", "a"]  # three fit: "d" drove out "a"
    kept.get("d", lambda: made.append("d") or b"")
    assert made[-1] == "a"


def test_kept_makes_an_answer_once():
    """What was asked for last stays: its maker runs once."""
    kept = Kept()
    assert [kept.get("a", lambda n=n: b"%d" % n) for n in (1, 2)] == [b"1", b"1"]
