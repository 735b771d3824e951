"""Whether the coding potential of `lifecode track` tells the frame of a gene from the other five: `--help`.

    .venv/bin/python -m benchmarks.tracks.coding_potential --genes 12 --max-codons 200

Genes that resemble none that the model was trained on, and overlap no other coding sequence. Within each,
every codon of the annotated frame is a positive, every codon of the other five a negative. Beside the model:
codon usage, counted on the genes that do resemble its training genes, in the place of its probabilities; the
share of stop codons, with the opposite sign; the same model untrained. All are means over the same window.
"""

import argparse
import sys

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from lifecode.alphabet import codon_ids
from lifecode.data.cds.coding_sequence import ExactPair, verify_all
from lifecode.data.cds.codon_usage import codon_usage
from lifecode.data.reading.read import read_records
from lifecode.data.records import Contig
from lifecode.data.splits.similarity import protein_sketch, similar
from lifecode.data.statistics.seen_genes import NUM_KEPT
from lifecode.genetic_code import genetic_code
from lifecode.models.families import load, require_life_code
from lifecode.models.life_code.model import LifeCode
from lifecode.tracks.along import scope_of, tracks_along
from lifecode.tracks.asked import Asked
from lifecode.tracks.coding_potential import coding_potential, log_composition
from lifecode.tracks.codon_sequences import SIX_FRAMES, six_frames
from lifecode.tracks.region import Region
from lifecode.tracks.settings import TrackSettings

Frames = dict[str, NDArray[np.float32]]
"""By frame a value for each nucleotide of a contig, or of a stretch of it."""


def split(contig: Contig, model: LifeCode) -> tuple[list[ExactPair], list[ExactPair]]:
    """The genes that resemble training genes of the model, and the others."""
    pairs = [verdict for verdict in verify_all(contig) if isinstance(verdict, ExactPair)]
    sketches = np.array([protein_sketch(pair.amino_acids)[:NUM_KEPT] for pair in pairs])
    seen = np.zeros(len(pairs), dtype=bool)
    if model.training_genes is None:
        raise SystemExit("the model keeps no record of its training genes, so none can be held out")
    for rows, _, _ in similar(sketches, model.training_genes, 0.5):
        seen[rows] = True
    return [p for p, s in zip(pairs, seen, strict=True) if s], [
        p for p, s in zip(pairs, seen, strict=True) if not s
    ]


def drawn(contig: Contig, held_out: list[ExactPair], count: int, max_codons: int, seed: int) -> list[Region]:
    """Regions of genes of one exon that overlap no other CDS, with the frame of each as `contig`."""
    taken = np.zeros(len(contig.nucleotides), dtype=np.int32)
    for cds in contig.coding_sequences:
        for start, end, _ in cds.exons:
            taken[start:end] += 1
    fit = []
    for pair in held_out:
        exons = pair.coding_sequence.exons
        start, end, strand = exons[0]
        if len(exons) == 1 and end - start <= 3 * max_codons and taken[start:end].max() == 1:
            offset = start % 3 if strand == 1 else (len(contig.nucleotides) - end) % 3
            fit.append(Region(f"{'plus' if strand == 1 else 'minus'}{offset + 1}", start, end))
    chosen = np.random.default_rng(seed).permutation(len(fit))[:count]
    return [fit[i] for i in sorted(chosen)]


def of_model(model: LifeCode, contig: Contig, region: Region, settings: TrackSettings) -> Frames:
    """The tracks of a region."""
    where = region._replace(contig=contig.name)
    scope = scope_of([contig], settings, where)
    with Asked(model, settings) as asked:
        tracks = tracks_along([contig], scope, asked, settings, where)
    found = {}
    for frame in SIX_FRAMES:
        ((_, runs),) = tracks[frame]
        found[frame] = np.full(region.end - region.start, np.nan, np.float32)
        for start, end, value in zip(*runs, strict=True):
            found[frame][start - region.start : end - region.start] = value
    return found


def of_counts(contig: Contig, log_p: NDArray[np.float64], log_q: NDArray[np.float64], smooth: int) -> Frames:
    """The same of the whole contig, by log P (64,) of a codon wherever it stands."""
    found = {}
    for sequence in six_frames(contig):
        values = coding_potential(-log_p[codon_ids(sequence.ids)], sequence.ids, log_q, smooth)
        found[sequence.track] = np.full(len(contig.nucleotides), np.nan, np.float32)
        found[sequence.track][sequence.places] = np.repeat(values, 3)
    return found


def codons_of(frames: Frames, region: Region, num_nucleotides: int) -> dict[str, NDArray[np.float32]]:
    """Values of the codons of each frame that lie within the region as a whole."""
    found = {}
    for frame, values in frames.items():
        offset = int(frame[-1]) - 1
        if frame.startswith("plus"):
            first = (offset - region.start) % 3
        else:
            first = (num_nucleotides - offset - region.start) % 3
        own = values[first::3]
        found[frame] = own[: (len(values) - first) // 3]
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--genome", default="ecoli", help="annotated, of one contig")
    parser.add_argument("--model", default="lifecode-mini")
    parser.add_argument("--genes", type=int, default=12)
    parser.add_argument("--max-codons", type=int, default=200, help="longer genes are not drawn")
    parser.add_argument("--method", default="strided:8")
    parser.add_argument("--window-codons", type=int, default=256)
    parser.add_argument("--smooth-codons", type=int, default=31)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    contig = next(iter(read_records(asked.genome)))
    model = require_life_code(load(asked.model))
    seen, held_out = split(contig, model)
    regions = drawn(contig, held_out, asked.genes, asked.max_codons, asked.seed)
    print(f"{len(held_out):,} genes resemble no training gene, {len(seen):,} do; {len(regions)} drawn")
    settings = TrackSettings(
        quantity="coding_potential",
        method=asked.method,
        window_codons=asked.window_codons,
        smooth_codons=asked.smooth_codons,
    )
    log_q, num_nucleotides = log_composition([contig]), len(contig.nucleotides)
    usage = codon_usage(np.concatenate([pair.nucleotides for pair in seen])) + 1
    stops = genetic_code(11).stops[:64]
    torch.manual_seed(asked.seed)
    untrained = LifeCode.from_config(model.config).eval()
    whole = {
        "codon usage of the other genes": of_counts(
            contig, np.log(usage / usage.sum()), log_q, asked.smooth_codons
        ),
        "no stop codons": of_counts(contig, np.where(stops, -1.0, 0.0), np.zeros(4), asked.smooth_codons),
    }
    models = {asked.model: model, "the same untrained": untrained}
    positive: list[NDArray[np.bool_]] = []
    values: dict[str, list[NDArray[np.float32]]] = {name: [] for name in (*models, *whole)}
    first = dict.fromkeys(values, 0)
    for number, region in enumerate(regions, start=1):
        print(f"gene {number} of {len(regions)}", file=sys.stderr, flush=True)
        codons: dict[str, NDArray[np.float32]] = {}
        for name in values:
            if name in models:
                frames = of_model(models[name], contig, region, settings)
            else:
                frames = {frame: own[region.start : region.end] for frame, own in whole[name].items()}
            codons = codons_of(frames, region, num_nucleotides)
            values[name].append(np.concatenate(list(codons.values())))
            means = {frame: float(np.mean(own)) for frame, own in codons.items()}
            first[name] += max(means, key=means.__getitem__) == region.contig
        positive.append(
            np.concatenate([np.full(len(own), frame == region.contig) for frame, own in codons.items()])
        )
    truth = np.concatenate(positive)
    print(f"{truth.sum():,} codons of the annotated frame, {(~truth).sum():,} of the other five")
    for name, pieces in values.items():
        auc = roc_auc_score(truth, np.concatenate(pieces))
        print(f"{name:34s} AUC {auc:.3f}  highest mean right in {first[name]} of {len(regions)} genes")


if __name__ == "__main__":
    main()
