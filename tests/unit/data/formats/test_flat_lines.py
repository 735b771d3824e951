"""Lines of flat files by how they begin, beside a plain search over short and long texts."""

import re

import numpy as np
import pytest

from lifecode.data.formats import flat_lines
from lifecode.data.formats.flat_lines import find_line, has_blanks_behind, lines_out_of_column
from lifecode.data.formats.insdc.genbank_origin import misnumbered_line

BEGINNINGS = [b"ORIGIN", b"OR", b"", b"gene", *(b" " * blanks for blanks in (5, 6, 20, 21, 22))]
BEGINNINGS += [b" " * 6 + b"x" + b" " * 14]
PIECES = [*(b"\n" + begin for begin in BEGINNINGS), b"/gene=", b"O", b"\t", b"x", b"  x" * 9]


@pytest.fixture(params=[7, 1 << 18])
def block_bytes(request, monkeypatch):
    monkeypatch.setattr(flat_lines, "_BLOCK_BYTES", request.param)


def _texts():
    random = np.random.default_rng(0)
    return [b"".join(PIECES[i] for i in random.integers(0, len(PIECES), n)) for n in range(90)]


@pytest.mark.usefixtures("block_bytes")
def test_a_line_is_found_where_a_search_finds_it():
    for text in _texts():
        for start in (0, 3, len(text)):
            assert find_line(text, b"ORIGIN", start) == text.find(b"\nORIGIN", start)


@pytest.mark.usefixtures("block_bytes")
def test_blanks_behind_are_found_where_a_search_finds_them(monkeypatch):
    monkeypatch.setattr(flat_lines, "_BLOCK_BYTES", 7)
    for text in (b"", b"\n", b" \n", b"abc\nde \n", b"abcdef \nxy", b"abcdefg \n", b"a b\n c\nlonger one\n"):
        for end in range(len(text) + 2):
            assert has_blanks_behind(text, end) == (text.find(b" \n", 0, end) >= 0), (text, end)


def test_lines_out_of_column_are_all_but_those_that_begin_in_column_22():
    elsewhere = re.compile(rb"\n(?!.{6} {15}[^ ])", re.DOTALL)
    for text in _texts():
        for end in (len(text), len(text) // 2):
            near_end = len(text) - 22
            expected = [found.start() for found in elsewhere.finditer(text, 0, len(text))]
            expected += [found.start() for found in re.finditer(b"\n", text) if found.start() >= near_end]
            found = lines_out_of_column(text, end).tolist()
            assert found == sorted({place for place in expected if place < end})


@pytest.mark.parametrize("first", [1, 41, 999_999_941, 10**9 - 180, 10**9 - 60, 12_345_678_901])
@pytest.mark.parametrize("dropped", [None, 2])
def test_origin_numbers_of_any_width(first, dropped):
    letters = b" ".join([b"acgtacgtac"] * 6)
    lines = [b"%9d %b" % (first + 60 * i, letters) for i in range(5) if i != dropped]
    fault = misnumbered_line(b"LOCUS x\nORIGIN\n" + b"\n".join(lines) + b"\n//\n")
    assert (fault is None) == (dropped is None)


def test_an_origin_number_that_lost_its_first_digit():
    letters = b" ".join([b"acgtacgtac"] * 6)
    lines = b"999999941 %b\n000000001 %b\n" % (letters, letters)
    assert "numbered 1 stands where 1,000,000,001" in (
        misnumbered_line(b"ORIGIN\n".join([b"\n", lines])) or ""
    )
