"""Names are data in every medium: terminal, figure, CSV, Markdown and HTML."""

import csv
import io
import unicodedata

import pytest
from rich.console import Console

from lifecode.datasets.central_dogma.dataset import _write_csv
from lifecode.errors import UserError
from lifecode.host.activity import Activity, _bar
from lifecode.names import csv_cell, display_name, markdown_cell, visible
from lifecode.report.charts.figure_style import figure_text, new_figure, png_bytes, style_axes

NASTY = "=cmd|' /C calc'!A1$_x^\\{[/b]\x1b[31m\x9b2J\u202e\u2066\u200b\x00\x07<script>alert(1)</script>"
ACTING = ("Cc", "Cf", "Cs", "Zl", "Zp")


def test_no_character_that_acts_is_left():
    ranges = ((0, 0x3200), (0xD700, 0xE100), (0xFE00, 0x11100), (0x1BC00, 0x1D200), (0xE0000, 0xE0200))
    everything = "".join(chr(point) for start, end in ranges for point in range(start, end))
    shown = visible(everything)
    assert not [letter for letter in shown if unicodedata.category(letter) in ACTING]
    assert {"a", "é", " ", "$"} <= set(shown)
    assert visible("a\tb\n\x1b", keep="\n") == "a\\tb\n\\x1b"
    shown.encode("utf-8")  # halves of surrogate pairs, as a file name may hold, would not go


def test_a_long_name_keeps_both_ends():
    assert display_name("a" * 500 + "z" * 500, 10) == "aaaaaa…zzz"
    assert display_name("short", 10) == "short"
    assert len(display_name("x" * 1_000_000)) == 100


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1", "'＝1"),
        ("\t=1", "\\t=1"),
        ("-1.5e-3", "-1.5e-3"),
        ("+7", "+7"),
        ("-inf", "-inf"),
        (-3, -3),
        (None, None),
        ("", ""),
        ("gene=1", "gene=1"),
        ("a\x1b[2J", "a\\x1b[2J"),
    ],
)
def test_a_cell_is_no_formula_and_a_number_stays_one(value, written):
    assert csv_cell(value) == written


def test_the_csv_files_of_dogma_are_written_so(tmp_path):
    _write_csv(tmp_path / "a.csv", ["=id", "start"], [[NASTY, -5]])
    (header, row) = csv.reader(io.StringIO((tmp_path / "a.csv").read_text()))
    assert header == ["'=id", "start"]
    assert row == ["'" + visible(NASTY), "-5"]


def test_markdown_has_no_border_and_no_tag_in_a_cell():
    assert markdown_cell("a|b<i>\nc") == "a\\|b&lt;i>\\nc"


def test_an_error_names_a_record_on_one_short_clean_line():
    error = UserError(
        f"{NASTY} is wrong",
        source=f"a\x1b]0;b\x07{'s' * 9000}",
        record=NASTY + "r" * 10**6,
        remedy="\u202eno",
    )
    line = str(error)
    assert visible(line) == line
    assert len(line) < 5000
    assert "record =cmd|" in line
    assert error.record == NASTY + "r" * 10**6  # whole, for a program


@pytest.mark.parametrize("name", ["$\\frac{$", "a$b$c", "$$", "\\$x$", "_hidden", NASTY, "蛋白", "x" * 10**6])
def test_a_figure_shows_a_name_as_it_is(name):
    figure = new_figure(2.0)
    axes = figure.add_subplot()
    style_axes(axes, figure_text(name))
    axes.plot([0, 1], label=figure_text(name))
    axes.set_xticks([0], [figure_text(name)])
    axes.legend()
    assert len(axes.get_legend().get_texts()) == 1
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_the_line_of_activity_is_no_markup():
    bar = _bar(Console(file=io.StringIO(), force_terminal=True, width=400))
    activity = Activity()
    activity._bar = bar
    activity.say(f"{NASTY}[/b] {'n' * 10**6}")
    console = Console(file=(shown := io.StringIO()), force_terminal=False, width=400)
    console.print(bar)
    assert "[/b]" in shown.getvalue()
    assert "\x1b" not in shown.getvalue()
    activity.say("reading", 1, 4)
    activity.say("reading", 3, 4)
    assert [(task.completed, task.total) for task in bar.tasks] == [(3, 4)]
    activity.say("writing")
    assert [(task.completed, task.total) for task in bar.tasks] == [(0, None)]


def test_activity_without_a_terminal(capsys):
    activity = Activity(every_seconds=0)
    activity.say(NASTY)
    activity.say("reading", 1, 4)
    assert capsys.readouterr().err == visible(NASTY) + "\nreading 25%\n"
