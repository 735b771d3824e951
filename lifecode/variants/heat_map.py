"""A whole mutational scan as a picture: position x residue and position x codon."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS, CODONS, STOP, codon_ids, encode_nucleotides
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.variants.scans import residue_log_p

_SUFFIXES = (".png", ".svg", ".pdf")


def require_picture_name(path: Path) -> None:
    """Raises a UserError unless a picture of that name can be drawn, and is not there yet."""
    if path.suffix not in _SUFFIXES:
        raise UserError(
            f"is none of {', '.join(_SUFFIXES)}", source=path, remedy=f"Write heat_map={path}.png"
        )
    if path.exists():
        raise UserError("is there already", source=path, remedy="Choose another name, or delete this one")


def relative_scores(
    log_p: NDArray[np.float32], cds: str, number: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of all substitutions: of residues (num_codons, 21) and of codons (num_codons, 64).

    Args:
        log_p: (num_codons, 64), from `whole_scan`.
        cds: the wild type.
        number: NCBI genetic code.
    """
    codons = codon_ids(encode_nucleotides(cds)).astype(np.int64)
    code, place = genetic_code(number), np.arange(len(codons))
    by_residue = residue_log_p(log_p, code)
    own = code.residues[codons].astype(np.int64)
    wide = log_p.astype(np.float64)
    return by_residue - by_residue[place, own][:, None], wide - wide[place, codons][:, None]


def draw_heat_map(path: Path, log_p: NDArray[np.float32], cds: str, number: int, offset: int = 1) -> None:
    """Draw both maps; arguments as for `relative_scores`, and the number of the first residue."""
    from matplotlib.figure import Figure

    maps = relative_scores(log_p, cds, number)
    length = len(maps[0])
    figure = Figure(figsize=(max(6.0, 0.05 * length), 9), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True, height_ratios=(21, 64))
    code = genetic_code(number)
    order = sorted(range(64), key=lambda i: (int(code.residues[i]), i))
    rows = (
        (maps[0].T, np.arange(len(AMINO_ACIDS)) == STOP, list(AMINO_ACIDS), "residue"),
        (
            maps[1].T[order],
            code.residues[order] == STOP,
            [f"{CODONS[i]} {AMINO_ACIDS[code.residues[i]]}" for i in order],
            "codon",
        ),
    )
    for axis, (values, stops, labels, name) in zip(axes, rows, strict=True):
        limit = float(np.quantile(np.abs(values[~stops]), 0.99)) or 1.0
        extent = (offset - 0.5, offset + length - 0.5, len(labels) - 0.5, -0.5)
        image = axis.imshow(
            values,
            aspect="auto",
            cmap="RdBu",
            vmin=-limit,
            vmax=limit,
            extent=extent,
            interpolation="nearest",
        )
        axis.set_yticks(range(len(labels)), labels, fontsize=4 if len(labels) > 30 else 6, family="monospace")
        axis.set_ylabel(name)
        figure.colorbar(image, ax=axis, label="nats")
    axes[0].set_title("log P(new) - log P(wild type); stops may lie beyond the scale")
    axes[-1].set_xlabel("position")
    with disk_faults_named(path), replacing(path) as file:
        figure.savefig(file, format=path.suffix[1:], dpi=150)
