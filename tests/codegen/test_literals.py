"""Changes of a literal where it is written."""

from __future__ import annotations

import pytest

from dockdsl.codegen.literals import changed, differing, value_of, within


@pytest.mark.parametrize(
    ("code", "new", "expected"),
    [
        ("'a b'", "a c", "'a c'"),
        ("'a b'", "it's b", r"'it\'s b'"),
        ('"""a b"""', 'a\n"b\\"', r'"""a' + "\n" + r'\"b\\\""""'),
        ("'a b'", "a\tb\n", r"'a\tb\n'"),
        ("u'''a\\\r\n b\r\nc'''", "a b\ny", "u'''a\\\r\n b\r\ny'''"),
        (r"'\x61\u0062\U00000063\143\N{BULLET}\d\\ e'", "abcc•\\d\\ f", r"'\x61\u0062\U00000063\143\N{BULLET}\d\\ f'"),
        (r"R'\d a'", r"\d b\n", r"R'\d b\n'"),
        ("''", "a", "'a'"),
        ("'a b'", "", "''"),
        ("'a b c'", "x b y", "'x b y'"),
        # A raw literal cannot have them.
        ("r'a'", "b'", None),
        ("r'a'", "a\\", None),
        ("r'a'", "a\nb", None),
    ],
)
def test_a_literal_is_changed_where_it_is_written(code: str, new: str, expected: str | None) -> None:
    """Python reads the new text, and what did not differ is as it was."""
    (old,) = value_of(code)
    hunks = within(code, differing(old, new))

    assert (None if hunks is None else changed(code, hunks)) == expected
    assert expected is None or value_of(expected) == (new,)
