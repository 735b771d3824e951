"""Values of tracks beside those of a second path, on both strands, across exons and origins."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import lifecode
from lifecode.alphabet import CODONS, MASK, codon_ids, decode_nucleotides, encode_nucleotides
from lifecode.data.batches.packing import pack
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.errors import Interrupted, UserError
from lifecode.tracks import asked
from lifecode.tracks.along import scope_of, tracks_along
from lifecode.tracks.asked import Asked
from lifecode.tracks.coding_potential import coding_potential, log_composition
from lifecode.tracks.codon_sequences import SIX_FRAMES, coding_places, six_frames
from lifecode.tracks.region import Region
from lifecode.tracks.settings import TrackSettings
from lifecode.variants import journal as journal_file
from lifecode.verbs.track import outputs
from tests.support.gff_genome import genome
from tests.support.small_models import small_luca_one, small_model
from tests.support.three_genes import expected_values, write_three_genes

MODEL = small_model(hybrid_ratio="1:1").eval()
LETTERS = genome()[0]


def along(contigs, region=None, **settings):
    """By track and contig a value for each nucleotide, NaN where there is none."""
    chosen = TrackSettings(**settings)
    scope = scope_of(contigs, chosen, region)
    with Asked(MODEL, chosen) as model:
        tracks = tracks_along(contigs, scope, model, chosen, region)
    lengths = {contig.name: len(contig.nucleotides) for contig in contigs}
    found = {}
    for name, of_contigs in tracks.items():
        for contig, runs in of_contigs:
            values = np.full(lengths[contig], np.nan)
            for start, end, value in zip(*runs, strict=True):
                assert np.isnan(values[start:end]).all()
                values[start:end] = value
            found[name, contig] = values
    return found


def contig_of(letters, *coding_sequences, **more):
    return Contig("c", encode_nucleotides(letters), "test", coding_sequences=coding_sequences, **more)


def cds(*exons, **more):
    return CodingSequence("x", None, tuple(Exon(*exon) for exon in exons), **more)


def reverse_complement(text):
    return text[::-1].translate(str.maketrans("ACGT", "TGCA"))


def random_letters(length, seed=0):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


def surprisals(letters):
    """-log P of each codon, masked alone."""
    log_p = MODEL.masked_logits([letters])[0].double().numpy()
    return -log_p[np.arange(len(log_p)), codon_ids(encode_nucleotides(letters))]


def test_three_genes_on_both_strands_and_of_several_exons(tmp_path):
    tracks = lifecode.track(
        MODEL, write_three_genes(tmp_path), tmp_path / "x.bedgraph", method="masked", progress=False
    )
    expected = expected_values(MODEL, LETTERS)
    head, *lines = (tmp_path / "x.bedgraph").read_text().splitlines()
    described = 'description="surprisal, nats, masked, model '
    assert head.startswith(f'track type=bedGraph name="surprisal" {described}')
    found = {}
    for line in lines:
        contig, start, end, value = line.split("\t")
        assert contig == "ctg1"
        found |= dict.fromkeys(range(int(start), int(end)), float(value))
    assert found.keys() == expected.keys()
    assert all(found[place] == pytest.approx(value, abs=2e-5) for place, value in expected.items())
    assert [int(line.split("\t")[1]) for line in lines] == sorted(int(line.split("\t")[1]) for line in lines)
    assert tracks.num_codons == len(expected) // 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["genes.fa", "genes.gff3", "x.bedgraph"]


def test_a_cds_across_the_origin_of_a_circular_contig():
    letters = random_letters(60)
    forward = contig_of(letters, cds((45, 60, 1), (0, 9, 1), codon_start=2), circular=True)
    values = along([forward], method="masked")["", "c"]
    spelled = (letters[45:] + letters[:9])[1:22]
    places = [*range(46, 60), *range(7)]
    np.testing.assert_allclose(values[places], np.repeat(surprisals(spelled), 3), atol=1e-5)
    assert np.isnan(np.delete(values, places)).all()
    backward = contig_of(letters, cds((0, 9, -1), (45, 60, -1)), circular=True)
    values = along([backward], method="masked")["", "c"]
    spelled = reverse_complement(letters[45:] + letters[:9])
    places = [*range(8, -1, -1), *range(59, 44, -1)]
    np.testing.assert_allclose(values[places], np.repeat(surprisals(spelled), 3), atol=1e-5)


def test_a_genome_and_its_reverse_complement_are_mirrored():
    letters, size = random_letters(240), 240
    genes = cds((5, 35, 1), (50, 80, 1)), cds((60, 120, -1)), cds((200, 230, -1), (150, 180, -1))
    turned = [
        replace(one, exons=tuple(Exon(size - end, size - start, -strand) for start, end, strand in one.exons))
        for one in genes
    ]
    contig, mirror = contig_of(letters, *genes), contig_of(reverse_complement(letters), *turned)
    asked_for = {"method": "strided:4", "window_codons": 16, "smooth_codons": 5}
    for settings in ({}, {"quantity": "coding_potential"}, {"unit": "nucleotide", "frames": "all"}):
        here, there = (along([one], **settings, **asked_for) for one in (contig, mirror))
        for track, name in here:
            other = track.replace("plus", "MINUS").replace("minus", "plus").replace("MINUS", "minus")
            np.testing.assert_allclose(here[track, name], there[other, name][::-1], atol=2e-5)


def test_strands_apart_and_together():
    contig = contig_of(random_letters(60), cds((0, 30, 1)), cds((24, 54, -1)))
    apart, together = along([contig], strands="apart"), along([contig])["", "c"]
    plus, minus = apart["plus", "c"], apart["minus", "c"]
    np.testing.assert_allclose(together[24:30], (plus + minus)[24:30] / 2, atol=1e-6)
    np.testing.assert_array_equal(together[:24], plus[:24])
    np.testing.assert_array_equal(together[30:54], minus[30:54])
    assert np.isnan(together[54:]).all()


def test_six_frames_begin_where_their_names_say():
    letters = random_letters(31)
    found = along([contig_of(letters)], method="masked")
    assert [track for track, _ in found] == list(SIX_FRAMES)
    for track, strand in (("plus", letters), ("minus", reverse_complement(letters))):
        for offset in range(3):
            read = strand[offset:][: (31 - offset) // 3 * 3]
            values = found[f"{track}{offset + 1}", "c"]
            values = values if track == "plus" else values[::-1]
            inside = values[offset : offset + len(read)]
            np.testing.assert_allclose(inside, np.repeat(surprisals(read), 3), atol=1e-5)
            assert np.isnan(values[:offset]).all()
            assert np.isnan(values[offset + len(read) :]).all()


def test_what_is_masked_together_is_masked_in_one_window():
    letters = random_letters(60)
    values = along([contig_of(letters, cds((0, 60, 1)))], method="strided:3", window_codons=8)["", "c"][::3]
    ids = encode_nucleotides(letters)[3 * 6 : 3 * 14].copy()  # the window of codons 7 to 12
    for codon in (2, 5):
        ids[3 * codon - 3 : 3 * codon] = MASK
    ids[3 * 7 : 3 * 8] = MASK
    with torch.no_grad():
        packed = pack([ids])
        hidden = MODEL.codon_projection(MODEL.encode(packed))
        log_p = MODEL.codec.codon_log_probabilities(hidden, packed.cu_seqlens, torch.tensor([2, 5]))
    for row, codon in enumerate((7, 10)):
        known = CODONS.index(letters[3 * codon : 3 * codon + 3])
        assert values[codon] == pytest.approx(-float(log_p[row, known]), abs=1e-5)


def test_entropy_and_single_nucleotides_by_the_definition():
    letters = random_letters(15)
    contig = contig_of(letters, cds((0, 15, -1)))
    log_p = MODEL.masked_logits([reverse_complement(letters)])[0].double().numpy()
    p = np.exp(log_p)
    entropy = along([contig], quantity="entropy", method="masked")["", "c"][::-1]
    np.testing.assert_allclose(entropy[::3], -(p * log_p).sum(1), atol=1e-5)
    of_nucleotide = along([contig], unit="nucleotide", method="masked")["", "c"][::-1]
    entropies = along([contig], unit="nucleotide", quantity="entropy", method="masked")["", "c"][::-1]
    for place, letter in enumerate(reverse_complement(letters)):
        mass = {x: sum(p[place // 3, i] for i, c in enumerate(CODONS) if c[place % 3] == x) for x in "ACGT"}
        assert of_nucleotide[place] == pytest.approx(-np.log(mass[letter]), abs=1e-5)
        assert entropies[place] == pytest.approx(-sum(q * np.log(q) for q in mass.values()), abs=1e-5)


def test_unknown_nucleotides_have_no_value():
    letters = "ATGNAAGCTTGGCCATAA"
    values = along([contig_of(letters, cds((0, 18, 1)))])["", "c"]
    np.testing.assert_array_equal(np.isnan(values), [3 <= i < 6 for i in range(18)])


def test_coding_potential_by_the_definition():
    contig = contig_of("AACGTTNAA" + random_letters(30))
    counts = {x: 1 + decode_nucleotides(contig.nucleotides).count(x) for x in "ACGT"}
    both = {"A": counts["A"] + counts["T"], "C": counts["C"] + counts["G"]}
    total = 2 * sum(both.values())
    log_q = np.log([both["A"] / total, both["C"] / total, both["C"] / total, both["A"] / total])
    np.testing.assert_allclose(log_composition([contig]), log_q)
    reading = next(six_frames(contig))
    surprisal = along([contig], method="masked")["plus1", "c"][::3]
    ratio = [
        -value - sum(log_q[i] for i in reading.ids[3 * codon : 3 * codon + 3]) if value == value else None
        for codon, value in enumerate(surprisal)
    ]
    expected = []
    for codon, own in enumerate(ratio):
        around = [x for x in ratio[max(0, codon - 2) : codon + 3] if x is not None]
        expected.append(np.nan if own is None else np.mean(around))
    found = coding_potential(surprisal, reading.ids, log_q, 5)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    track = along([contig], quantity="coding_potential", smooth_codons=5, method="masked")["plus1", "c"]
    np.testing.assert_allclose(track[::3], expected, atol=1e-5)


@pytest.mark.parametrize("quantity", ["surprisal", "coding_potential"])
def test_a_region_has_the_values_of_the_whole(quantity):
    contig = contig_of(random_letters(400), cds((30, 330, 1)), cds((360, 390, -1)))
    settings = {"quantity": quantity, "window_codons": 32, "smooth_codons": 9, "method": "strided:4"}
    whole = along([contig], **settings)
    part = along([contig], Region("c", 100, 151), **settings)
    for key, values in part.items():
        np.testing.assert_allclose(values[100:151], whole[key][100:151], atol=1e-5)
        assert np.isnan(np.delete(values, range(100, 151))).all()


def test_a_stopped_call_goes_on_with_what_is_left(tmp_path, monkeypatch):
    given = write_three_genes(tmp_path)
    monkeypatch.setattr(asked, "_CODONS_A_BATCH", 1)
    really, calls = asked.answered, []

    def counted(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return really(*arguments, **options)

    monkeypatch.setattr(asked, "answered", counted)
    with pytest.raises(Interrupted, match="the same command goes on"):
        lifecode.track(MODEL, given, tmp_path / "x.bedgraph", progress=False)
    assert [path.name for path in tmp_path.iterdir() if "x" in path.name] == [".x.bedgraph.track"]
    second = lifecode.track(MODEL, given, tmp_path / "x.bedgraph", progress=False)
    assert len(calls) == 4  # one for each gene, and the one that was stopped
    assert len(list(tmp_path.glob(".*"))) == 0
    afresh = lifecode.track(MODEL, given, progress=False)
    assert second.frame.equals(afresh.frame)
    assert list(afresh.frame.columns) == ["track", "contig", "start", "end", "value"]


def test_a_call_that_is_stopped_while_it_writes_goes_on(tmp_path, monkeypatch):
    given = write_three_genes(tmp_path)
    really, written = outputs.write_bedgraph, []

    def stopped(path, *rest):
        if len(written) == 1:
            raise KeyboardInterrupt
        written.append(path)
        really(path, *rest)

    asked_for = {"strands": "apart", "progress": False}
    with monkeypatch.context() as patch:
        patch.setattr(outputs, "write_bedgraph", stopped)
        with pytest.raises(KeyboardInterrupt):
            lifecode.track(MODEL, given, tmp_path / "x.bedgraph", **asked_for)
    with pytest.raises(UserError, match="is there already"):
        lifecode.track(MODEL, given, tmp_path / "x.bedgraph", quantity="entropy", **asked_for)
    assert len(lifecode.track(MODEL, given, tmp_path / "x.bedgraph", **asked_for).paths) == 2
    with pytest.raises(UserError, match="is there already"):
        lifecode.track(MODEL, given, tmp_path / "x.bedgraph", **asked_for)
    with pytest.raises(UserError, match="no effect on six frames"):
        lifecode.track(MODEL, given, frames="all", **asked_for)


def test_what_another_version_or_other_settings_left_is_not_gone_on_with_and_said(
    tmp_path, monkeypatch, caplog
):
    given, place = write_three_genes(tmp_path), tmp_path / "x.bedgraph"
    expected = lifecode.track(MODEL, given, progress=False).frame
    monkeypatch.setattr(asked, "_CODONS_A_BATCH", 1)
    really, calls = asked.answered, []

    def counted(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return really(*arguments, **options)

    for number, (settings, version) in enumerate((({"quantity": "entropy"}, 1), ({}, 2))):
        calls.clear()
        with monkeypatch.context() as patch:
            patch.setattr(asked, "answered", counted)
            patch.setattr(journal_file, "VERSION", version)
            with pytest.raises(Interrupted):
                lifecode.track(MODEL, given, place, progress=False, **settings)
        caplog.clear()
        found = lifecode.track(MODEL, given, tmp_path / "x.bedgraph", progress=False)
        assert ".x.bedgraph.track: is of another version" in caplog.text, number
        assert found.frame.equals(expected)
        place.unlink()


def test_what_cannot_be_a_track(tmp_path):
    given = write_three_genes(tmp_path)
    (tmp_path / "p.fasta").write_text(">p\nMKRISTTITTTITITTGNGAG\n")
    pseudo = contig_of("ATGAAATAA", cds((0, 9, 1), pseudo=True))
    both = contig_of("ATGAAATAACCC", cds((0, 6, 1), (9, 12, -1)))
    for call, message in (
        (lambda: lifecode.track(MODEL, f"protein:{tmp_path}/p.fasta"), "record p: is a protein"),
        (lambda: lifecode.track(small_luca_one(), given), "model: is a LucaOne, expected LifeCode"),
        (lambda: lifecode.track(MODEL, given, region="ctg2:1-5"), "has no such contig. It has ctg1"),
        (lambda: lifecode.track(MODEL, given, region="ctg1:1-5"), "no coding sequence in ctg1:1-5"),
        (lambda: along([pseudo], frames="cds"), r"no coding sequence .*1 left out: pseudogene"),
        (lambda: along([both], frames="cds"), r"no coding sequence .*1 left out: parts on both strands"),
        (lambda: lifecode.track(MODEL, given, "y.txt"), r"is none of .* Write output=y.txt.bedgraph"),
        (lambda: lifecode.track(MODEL, given, report=True), "report: stands beside an output"),
        (lambda: lifecode.track(MODEL, given, "y.bw", report=True), "report: shows a region"),
        (lambda: TrackSettings(quantity="perplexity"), "quantity: 'perplexity' is unknown"),
        (lambda: TrackSettings(method="strided"), "method: 'strided' is unknown"),
        (lambda: TrackSettings(smooth_codons=30), "smooth_codons: 30 has no codon in its middle"),
        (lambda: TrackSettings(quantity="coding_potential", frames="cds"), "is of all six frames"),
        (lambda: TrackSettings(quantity="coding_potential", unit="nucleotide"), "is of codons"),
    ):
        with pytest.raises(UserError, match=message):
            call()


def test_places_of_a_cds():
    assert coding_places(cds((2, 5, 1), (8, 12, 1))).tolist() == [2, 3, 4, 8, 9, 10]
    assert coding_places(cds((8, 12, -1), (2, 5, -1), codon_start=2)).tolist() == [10, 9, 8, 4, 3, 2]
