"""Consequences agree with bcftools csq, but for the differences that docs/scores.md lists."""

import pytest

from lifecode.variants.reading.genome import Genome, read_genome
from tests.support.csq_oracle import differences, random_alleles


@pytest.fixture(scope="module")
def ecoli() -> Genome:
    return read_genome("ecoli")


@pytest.fixture(scope="module")
def fly(shared_data) -> Genome:
    names = ("genomes/D.melanogaster.1pct.fa.gz", "genomes/D.melanogaster.1pct.gff.gz")
    return read_genome(*(shared_data(name) for name in names))


def shown(found) -> list:
    return [
        (row.contig, row.position, row.ref, row.alt, row.transcript and row.transcript.id, ours, theirs)
        for row, ours, theirs in found.unknown
    ]


def test_some_variants_of_ecoli(small_genome, tmp_path):
    ecoli = read_genome(small_genome)
    found = differences(ecoli, random_alleles(ecoli, 2_000, seed=5), tmp_path, 11)
    assert shown(found) == []
    assert found.same > 1_500
    assert found.known.total() < 0.005 * found.same


@pytest.mark.slow
def test_100_000_variants_of_ecoli(ecoli, tmp_path):
    found = differences(ecoli, random_alleles(ecoli, 100_000, seed=1), tmp_path, 11)
    assert shown(found) == []
    assert (found.same, sorted(found.known.values())) == (86_117, [1, 1, 2, 7, 17, 32, 159])  # docs/scores.md


@pytest.mark.slow
@pytest.mark.parametrize("near", [False, True])
def test_10_000_variants_of_the_fly(fly, tmp_path, near):
    """Anywhere, and with both ends of exons in reach."""
    found = differences(fly, random_alleles(fly, 10_000, seed=2, near=near), tmp_path, 1)
    assert shown(found) == []
    counts = (54_366, [2, 2, 10, 362, 7_309]) if near else (22_895, [6, 24, 2_753])  # docs/scores.md
    assert (found.same, sorted(found.known.values())) == counts
