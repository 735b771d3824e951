"""Memory of one process while it trains, estimated from the shapes of the model; nothing is run.

Weights, gradients and AdamW's two moments are float32: 4, 4 and 8 bytes a parameter, the latter two only of
those that are trained; Muon keeps one moment, 4 bytes. Under bf16 autocast a bfloat16 copy of the weights
comes to them. Under DDP the gradients are held once more, in the buckets they are sent in; FSDP divides all
of these by the processes.

Activations are the values that a backward pass needs, counted tensor by tensor as the layers keep them. Of a
block of width d with a feed-forward of h, in values a position:

- residual stream, two branches: 4 d; inputs of the norms' readers: 2 d (in bf16 a copy for each reader)
- SwiGLU: 3 h (in bf16 4 h)
- Gated DeltaNet with H heads, R readings: H K (2 + 4 R) + H V (3 + 3 R), and a state H K V every 64 positions
- self-attention: 5 d, and 2 D of rotary angles

The kernels work in float32, so bf16 halves less than half of it. Checkpointing keeps only the input of each
layer, and one layer at a time as above. To these comes the working memory of the widest block's backward
pass, taken as what that block keeps.
"""

from typing import NamedTuple

from torch import nn

from lifecode.data.batches.row_contents import RowContents
from lifecode.models.layers.attention import SelfAttention
from lifecode.models.layers.block import Block
from lifecode.models.layers.gated_deltanet import GatedDeltaNet
from lifecode.models.layers.segment_conv import SegmentConv1d
from lifecode.models.life_code.codec import CodonCodec
from lifecode.models.life_code.tokenizer import LinearTokenizer
from lifecode.objectives.cost import StepCost
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.stage import PretrainingStage
from lifecode.training.stages.tokenizer_stage import TokenizerStage

_FLOAT32, _BFLOAT16 = 4, 2
_STATE_EVERY = 64


class StepMemory(NamedTuple):
    """Bytes of one process.

    Attributes:
        weights: float32, and their bfloat16 copies under autocast.
        gradients: buffers of the size of what is trained.
        optimizer: its moments.
        activations: of the rows that pass through the model together, with the working memory.
    """

    weights: float
    gradients: float
    optimizer: float
    activations: float

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self)


def step_memory(
    stage: PretrainingStage,
    contents: RowContents,
    cost: StepCost,
    *,
    precision: str,
    strategy: str,
    num_processes: int,
) -> StepMemory:
    """Memory of one process in one optimizer step.

    Args:
        stage: tokenizer or encoder stage; its model may be on the meta device.
        contents: of all rows that pass through the model together.
        cost: gradient buffers of the step.
        precision: `32-true` or `bf16-mixed`.
        strategy: `auto`, `ddp` or `fsdp`.
        num_processes: over all machines.
    """
    every = sum(parameter.numel() for parameter in stage.parameters())
    trained = sum(parameter.numel() for parameter in stage.parameters() if parameter.requires_grad)
    low = _BFLOAT16 if precision.startswith("bf16") else _FLOAT32
    sharded = strategy == "fsdp"
    buckets = int(num_processes > 1 and not sharded)
    share = num_processes if sharded else 1
    return StepMemory(
        weights=every * (_FLOAT32 + (low if low < _FLOAT32 else 0)) / share,
        gradients=trained * _FLOAT32 * (cost.gradient_buffers + buckets) / share,
        optimizer=stage.optimizer_recipe.num_state_values(stage) * _FLOAT32 / share,
        activations=activation_bytes(stage, contents, low),
    )


def activation_bytes(
    stage: PretrainingStage, contents: RowContents, low: int, *, checkpointing: bool | None = None
) -> float:
    """Bytes that a forward pass keeps for the backward pass, with that pass's working memory.

    Args:
        stage: tokenizer or encoder stage.
        contents: of all rows that pass through the model together.
        low: bytes of a value under autocast.
        checkpointing: of the layers; None as the model says.
    """
    if isinstance(stage, TokenizerStage):
        block, around = _tokenizer(stage.codec, contents, low, 1)
        return 2 * block + around + _readout(stage.codec, contents, low)
    assert isinstance(stage, EncoderStage)
    model = stage.model
    if checkpointing is None:
        checkpointing = model.encoder.activation_checkpointing
    strands = 1 if model.encoder.strands == "forward" else 2
    layers = [block_bytes(layer, low) * strands * contents.num_codons for layer in model.encoder.layers]
    inputs = len(layers) * strands * contents.num_codons * model.width * _FLOAT32
    largest = max(layers, default=0.0)
    kept = inputs + largest if checkpointing else sum(layers)
    return kept + largest + _around_layers(stage, contents, low, strands)


def block_bytes(block: nn.Module, low: int) -> float:
    """Bytes a position that a block keeps; see the top of this file."""
    assert isinstance(block, Block)
    width, hidden = block.feed_forward.gate_proj.weight.shape[::-1]
    in_bf16 = low < _FLOAT32
    feed_forward = (2 * width + 4 * hidden) * low if in_bf16 else (width + 3 * hidden) * low
    return 4 * width * _FLOAT32 + feed_forward + _mixer_bytes(block.mixer, width, low)


def _mixer_bytes(mixer: nn.Module, width: int, low: int) -> float:
    in_bf16 = low < _FLOAT32
    if isinstance(mixer, SelfAttention):
        readers = 3 if in_bf16 else 1
        return (readers + 5) * width * low + 2 * mixer.head_dim * _FLOAT32
    assert isinstance(mixer, GatedDeltaNet)
    readings, readers = 2 if mixer.direction == "both" else 1, 6 if in_bf16 else 1
    keys, values = mixer.k_proj.out_features, mixer.v_proj.out_features
    states = readings * keys * values / mixer.num_heads / _STATE_EVERY
    # In bf16 the gate is copied for every reading, and only the input of o_proj is bfloat16.
    of_values = (1 + 4 * readings) * _FLOAT32 + low if in_bf16 else (3 + 3 * readings) * _FLOAT32
    return readers * width * low + (keys * (2 + 4 * readings) + states) * _FLOAT32 + values * of_values


def _tokenizer(codec: CodonCodec, contents: RowContents, low: int, strands: int) -> tuple[float, float]:
    """What the tokenizer's block keeps, and what its convolution does: its input, at stride 1 three times."""
    tokenizer = codec.tokenizer
    nucleotides = 3 * contents.num_codons * strands
    inputs = nucleotides * tokenizer.embedding.embedding_dim * low
    if isinstance(tokenizer, LinearTokenizer):
        return 0.0, inputs
    taps = 3 if tokenizer.stride == 1 else 1
    return block_bytes(tokenizer.block, low) * nucleotides, taps * inputs


def _around_layers(stage: EncoderStage, contents: RowContents, low: int, strands: int) -> float:
    """What tokenizer, projections, readout and protein decoder keep in stage 2."""
    model, codec, codons = stage.model, stage.model.codec, contents.num_codons
    sides = 2 if model.encoder.strands == "rc" else 1
    kept = codons * (codec.codon_dim * low * sides + 3 * model.width * low)
    kept += codons * strands * model.width * _FLOAT32
    if any(parameter.requires_grad for parameter in codec.tokenizer.parameters()):
        kept += sum(_tokenizer(codec, contents, low, sides))
    if stage.distillation is not None:
        teacher_width = model.config["teacher_width"]
        kept += contents.cds_codons * (9 * model.width * low + 2 * teacher_width * _FLOAT32)
    return kept + _readout(codec, contents, low)


def _readout(codec: CodonCodec, contents: RowContents, low: int) -> float:
    """De-tokenizer and translator: inputs of trained layers, and the translator's activation."""
    trained = any(parameter.requires_grad for parameter in codec.detokenizer.parameters())
    hidden = codec.config["translator_hidden"] or 0
    kept = contents.cds_codons * hidden * low * (2 if trained else 1)
    if trained:
        reach = 3 if isinstance(codec.detokenizer.conv, SegmentConv1d) else 1
        taps = reach * codec.config["conv_channels"] + codec.config["nucleotide_dim"]
        kept += 3 * contents.num_codons * taps * low + contents.cds_codons * codec.codon_dim * low
    return kept
