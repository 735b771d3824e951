"""Places and values become runs that overlap nowhere; regions are read as people write them."""

import numpy as np
import pytest

from lifecode.errors import UserError
from lifecode.tracks.asked import Window, windows
from lifecode.tracks.region import Region, region_of
from lifecode.tracks.runs import clipped, runs_of

LENGTHS = {"chr1": 1000, "a:b": 50}


def listed(runs):
    return list(zip(*(column.tolist() for column in runs), strict=True))


def test_neighbours_of_one_value_are_one_run_and_gaps_stay():
    places = np.array([12, 11, 10, 3, 4, 5, 6, 20])
    values = np.array([2, 2, 2, 1, 1, 1, 4, np.nan])
    assert listed(runs_of(places, values)) == [(3, 6, 1.0), (6, 7, 4.0), (10, 13, 2.0)]


def test_where_sequences_overlap_the_mean_stands():
    places, values = np.array([3, 4, 5, 5, 6, 7]), np.array([1, 1, 1, 3, 3, 3.0])
    assert listed(runs_of(places, values)) == [(3, 5, 1.0), (5, 6, 2.0), (6, 8, 3.0)]


def test_nothing_gives_nothing():
    assert listed(runs_of(np.array([1]), np.array([np.nan]))) == []
    assert listed(clipped(runs_of(np.array([1]), np.array([2.0])), 5, 9)) == []


def test_runs_are_cut_at_the_ends_of_a_region():
    runs = runs_of(np.arange(9), np.repeat([1.0, 2, 3], 3))
    assert listed(clipped(runs, 1, 7)) == [(1, 3, 1.0), (3, 6, 2.0), (6, 7, 3.0)]


def test_windows_overlap_by_a_quarter_and_ask_about_each_codon_once():
    assert windows(7, 8) == windows(7, None) == [Window(0, 7, 0, 7)]
    assert windows(20, 8) == [
        Window(0, 8, 0, 7),
        Window(6, 14, 7, 13),
        Window(12, 20, 13, 20),
    ]
    for length in range(9, 60):
        found = windows(length, 8)
        assert [codon for one in found for codon in range(one.first, one.last)] == list(range(length))
        assert all(one.begin <= one.first < one.last <= one.end <= length for one in found)
        assert all(one.end - one.begin == 8 for one in found)


def test_a_region_counts_from_one_and_includes_both_ends():
    assert region_of("chr1:1-1,000", LENGTHS) == ("chr1", 0, 1000)
    assert region_of("chr1:7-7", LENGTHS) == ("chr1", 6, 7)
    assert region_of("chr1", LENGTHS) == ("chr1", 0, 1000)
    assert region_of("a:b", LENGTHS) == ("a:b", 0, 50)
    assert region_of("a:b:2-3", LENGTHS) == ("a:b", 1, 3)
    assert str(Region("chr1", 6, 9)) == "chr1:7-9"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chr2:1-5", "record chr2: the genome has no such contig. It has chr1, a:b"),
        ("chr1:5", "record chr1:5: the genome has no such contig"),
        ("chr1:0-5", "0-5 is no stretch of 1,000 nucleotides"),
        ("chr1:5-1001", "5-1001 is no stretch"),
        ("chr1:9-8", "9-8 is no stretch"),
    ],
)
def test_other_regions_are_refused(text, message):
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        region_of(text, LENGTHS)
