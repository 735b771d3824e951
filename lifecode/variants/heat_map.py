"""A whole mutational scan as a picture: position x residue, and by a model of codons position x codon."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS, CODONS, NUM_CODONS, STOP, codon_ids
from lifecode.errors import UserError
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.variants.wild_type import WildType

_SUFFIXES = (".png", ".svg", ".pdf")
_DPI, _WIDEST_INCHES = 150, 200
"""Of a picture; matplotlib draws less than 65,536 dots."""


def require_picture_name(path: Path) -> None:
    """Raises a UserError unless a picture of that name can be drawn, and is not there yet."""
    if path.suffix not in _SUFFIXES:
        raise UserError(
            f"is none of {', '.join(_SUFFIXES)}", source=path, remedy=f"Write heat_map={path}.png"
        )
    if path.exists():
        raise UserError("is there already", source=path, remedy="Choose another name, or delete this one")


def relative_scores(wild: WildType, log_p: NDArray[np.float32]) -> list[NDArray[np.float64]]:
    """Scores of all substitutions: of residues (n, 21), and by a model of codons of these too (n, 64).

    Args:
        wild: type.
        log_p: (n, columns) of its first n places, from `whole_scan`.
    """
    place, size = np.arange(len(log_p)), wild.reader.letters_per_place
    ids = wild.ids[: size * len(log_p)]
    by_residue = wild.residue_log_p(log_p)
    own = wild.residues_of(ids)
    maps = [by_residue - np.where(own < 0, np.nan, by_residue[place, own])[:, None]]
    if wild.reader.columns == NUM_CODONS:
        wide = log_p.astype(np.float64)
        maps.append(wide - wide[place, codon_ids(ids)][:, None])
    return maps


def draw_heat_map(
    path: Path,
    wilds: Sequence[WildType],
    log_p: Sequence[NDArray[np.float32]],
    offset: int = 1,
    method: str = "masked",
) -> None:
    """Draw the maps, means over draws of codons.

    Args:
        path: to write.
        wilds: the wild type in each draw.
        log_p: as for `relative_scores`, of each.
        offset: number of the first residue.
        method: by which it was asked.
    """
    from matplotlib.figure import Figure

    of_draws = [relative_scores(*one) for one in zip(wilds, log_p, strict=True)]
    maps = [np.mean(own, axis=0) for own in zip(*of_draws, strict=True)]
    length, residues = len(log_p[0]), wilds[0].code.residues
    order = sorted(range(NUM_CODONS), key=lambda i: (int(residues[i]), i))
    rows = [(maps[0].T, np.arange(len(AMINO_ACIDS)) == STOP, list(AMINO_ACIDS), "residue")]
    if len(maps) > 1:
        labels = [f"{CODONS[i]} {AMINO_ACIDS[residues[i]]}" for i in order]
        rows.append((maps[1].T[order], residues[order] == STOP, labels, "codon"))
    heights = [len(labels) for *_, labels, _ in rows]
    width = min(max(6.0, 0.05 * length), _WIDEST_INCHES)
    figure = Figure(figsize=(width, 9 if len(rows) > 1 else 3.5), layout="constrained")
    axes = figure.subplots(len(rows), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for axis, (values, stops, labels, name) in zip(axes, rows, strict=True):
        known = np.abs(values[~stops])
        limit = float(np.nanquantile(known[np.isfinite(known)], 0.99)) or 1.0
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
    how = method if wilds[0].how_written is None else f"{method}\n{wilds[0].how_written}"
    axes[0].set_title(f"log P(new) - log P(wild type), {how}\nstops may lie beyond the scale")
    axes[-1].set_xlabel("position")
    with disk_faults_named(path), replacing(path) as file:
        figure.savefig(file, format=path.suffix[1:], dpi=_DPI)
