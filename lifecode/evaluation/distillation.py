"""How much of the teacher a student explains on genes it never saw."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from lifecode.data.batch import ResidueFeatures
from lifecode.data.packing import pack
from lifecode.data.segments import SegmentTable
from lifecode.evaluation.tally import Figure
from lifecode.model.life_code import LifeCode
from lifecode.objectives.distillation import DistillationLoss


@torch.inference_mode()
def kd_explained(
    model: LifeCode,
    distillation: DistillationLoss,
    *,
    train: SegmentTable,
    held_out: SegmentTable,
    features: ResidueFeatures,
    rows: Sequence[int] | None = None,
) -> Figure:
    """1 - sum KL(teacher || student) / sum KL(teacher || mean teacher of the training split).

    0 is what the mean distribution of the teacher reaches, 1 a perfect student; `n` counts residues. `rows`
    are the genes of `held_out` that count, all if it is None.
    """
    assert model.protein_decoder is not None
    device = model.codon_projection.weight.device
    held_out_rows = range(len(held_out)) if rows is None else rows
    total, num_train = torch.zeros((), device=device), 0
    for _, seen in _seen_by_teacher(train, range(len(train)), features, device):
        total = total + distillation.teacher_log_probabilities(seen).exp().sum(0)
        num_train += len(seen)
    log_mean = (total / max(1, num_train)).log()
    from_student, from_mean, num_residues = 0.0, 0.0, 0
    for index, seen in _seen_by_teacher(held_out, held_out_rows, features, device):
        teacher = distillation.teacher_log_probabilities(seen)
        hidden = model.encode(pack([np.asarray(held_out.nucleotides(index))]))[1 : 1 + len(seen)]
        student = distillation.student_log_probabilities(model.protein_decoder(hidden))
        from_student += float((teacher.exp() * (teacher - student)).sum())
        from_mean += float((teacher.exp() * (teacher - log_mean)).sum())
        num_residues += len(seen)
    return Figure(1 - from_student / from_mean if num_residues else float("nan"), num_residues)


def _seen_by_teacher(
    table: SegmentTable, rows: Sequence[int], features: ResidueFeatures, device: torch.device
) -> Iterator[tuple[int, Tensor]]:
    """Index and features (num_residues, D') of those of the genes whose protein the teacher has read."""
    for index in rows:
        seen = features.get(table.protein(index))
        if seen is not None:
            yield index, torch.from_numpy(np.array(seen)).to(device)
