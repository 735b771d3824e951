"""Operations of an optimizer step, estimated from what its rows hold; nothing is run.

Forward passes count by the formulas of `lifecode.models.layers.flops`. A backward pass counts as two forward
passes, one for the gradient of the weights, where these are trained, and one for that of the input, where
something before it is trained. Activation checkpointing repeats the forward pass of the layers in every
backward pass. How many passes a step has is the joint objective's `StepCost`.
"""

from typing import NamedTuple

from torch import nn

from lifecode.data.batches.masking import Masking
from lifecode.data.batches.row_contents import RowContents
from lifecode.models.layers.flops import forward_flops
from lifecode.models.life_code.codec import CodonCodec
from lifecode.models.life_code.encoder import HybridEncoder
from lifecode.models.life_code.tokenizer import LinearTokenizer
from lifecode.objectives.cost import StepCost
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.stage import PretrainingStage
from lifecode.training.stages.tokenizer_stage import TokenizerStage


class PartFlops(NamedTuple):
    """Operations of one forward pass of a part of the model, and what its backward pass is beside it.

    Attributes:
        name: of the part.
        forward: operations.
        backward_passes: forward passes that the backward pass is worth, 0 to 2.
    """

    name: str
    forward: float
    backward_passes: int


def step_flops(stage: PretrainingStage, contents: RowContents, masking: Masking, cost: StepCost) -> float:
    """Operations of one optimizer step of one process.

    Args:
        stage: tokenizer or encoder stage; its model may be on the meta device.
        contents: of all rows that pass through the model together.
        masking: how many codons a codon head reads.
        cost: passes of the step.
    """
    parts = part_flops(stage, contents, masking)
    forward = sum(part.forward for part in parts)
    backward = sum(part.forward * part.backward_passes for part in parts)
    recomputed = isinstance(stage, EncoderStage) and stage.model.encoder.activation_checkpointing
    if recomputed:
        backward += sum(part.forward for part in parts if part.name == "encoder layers")
    forwards = cost.forwards_without_gradient + cost.forwards_with_gradient
    return forwards * forward + cost.backwards * backward


def model_flops(stage: PretrainingStage, contents: RowContents, masking: Masking) -> float:
    """Operations that the model needs to learn from some rows: each pass once, nothing computed again."""
    parts = part_flops(stage, contents, masking)
    return sum(part.forward * (1 + part.backward_passes) for part in parts)


def part_flops(stage: PretrainingStage, contents: RowContents, masking: Masking) -> list[PartFlops]:
    """Operations of one forward pass with its losses, by part."""
    if isinstance(stage, TokenizerStage):
        parts = _tokenizer(stage.codec, contents, strands=1)
        return parts + _readout(stage.codec, contents, codons_read=contents.cds_codons, readings=1)
    assert isinstance(stage, EncoderStage)
    model = stage.model
    # The codons that became [MASK] are read once more, for the log.
    read = masking.codon_fraction * (1 + masking.masked) * contents.cds_codons
    parts = _tokenizer(model.codec, contents, strands=2 if model.encoder.strands == "rc" else 1)
    parts += _encoder(model.encoder, contents, below=_is_trained(model.codec.tokenizer))
    parts.append(_part("codon projection", model.codon_projection, contents.num_codons))
    parts += _readout(model.codec, contents, codons_read=read, readings=2)
    if stage.distillation is not None:
        parts.append(_part("protein decoder", model.protein_decoder, contents.cds_codons))
    return parts


def _part(name: str, module: nn.Module | None, positions: float, below: bool = True) -> PartFlops:
    """A part whose modules all see the same positions; `below`: whether something before it is trained."""
    return PartFlops(name, forward_flops(module, positions), int(_is_trained(module)) + int(below))


def _is_trained(module: nn.Module | None) -> bool:
    return module is not None and any(parameter.requires_grad for parameter in module.parameters())


def _tokenizer(codec: CodonCodec, contents: RowContents, strands: int) -> list[PartFlops]:
    tokenizer = codec.tokenizer
    nucleotides = 3 * contents.num_codons * strands
    trained = _is_trained(tokenizer)
    if isinstance(tokenizer, LinearTokenizer):
        return [_part("tokenizer", tokenizer.linear, nucleotides, below=trained)]
    read_by_conv = nucleotides if tokenizer.stride == 1 else nucleotides / 3
    return [
        _part("tokenizer", tokenizer.block, nucleotides, below=trained),
        _part("tokenizer convolution", tokenizer.conv, read_by_conv, below=trained),
    ]


def _encoder(encoder: HybridEncoder, contents: RowContents, below: bool) -> list[PartFlops]:
    """Projections and layers; both strands pass through the layers, each in its own segments."""
    codons = contents.num_codons
    strands = 1 if encoder.strands == "forward" else 2
    sides = 2 if encoder.strands == "rc" else 1  # of the projections
    layers = sum(
        forward_flops(layer, strands * codons, strands * contents.squared_codons) for layer in encoder.layers
    )
    return [
        _part("encoder projection", encoder.in_proj, sides * codons, below),
        PartFlops("encoder layers", layers, 2),
        _part("encoder output", encoder.out_proj, sides * codons),
    ]


def _readout(codec: CodonCodec, contents: RowContents, codons_read: float, readings: int) -> list[PartFlops]:
    """What reads the codon embeddings: the de-tokenizer the whole row, where there is DNA in it.

    Without a codon head it also reads the row for the codons, `readings` times.
    """
    dna = contents.num_nucleotides - 3 * contents.cds_codons > 1
    passes = int(dna) + (readings if codec.codon_head is None else 0)
    return [
        _part("de-tokenizer", codec.detokenizer, 3 * contents.num_codons * passes),
        _part("codon head", codec.codon_head, codons_read),
        _part("translator", codec.translator, contents.cds_codons),
    ]
