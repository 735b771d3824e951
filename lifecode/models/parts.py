"""The parts of a model: their parameters, and what each reads of some rows."""

from collections.abc import Iterable

from torch import nn

from lifecode.data.batches.row_contents import RowContents
from lifecode.models.layers.cost import Part, is_trained
from lifecode.models.life_code.codec import CodonCodec
from lifecode.models.life_code.model import LifeCode

LAYERS = "encoder layers"
"""Name of the part that has the mixers of the encoder."""
_NOTHING = RowContents(0, 0, 0, 0)


def parameters_by_part(model: LifeCode) -> dict[str, int]:
    """Number of parameters by part; works on the meta device. The parts add up to the model."""
    return parameters_of(model_parts(model))


def parameters_of(parts: Iterable[Part]) -> dict[str, int]:
    """Number of parameters by name of the parts that have any."""
    counts: dict[str, int] = {}
    for part in parts:
        counts[part.name] = counts.get(part.name, 0) + part.num_parameters
    return {name: count for name, count in counts.items() if count}


def codec_parts(
    codec: CodonCodec,
    contents: RowContents = _NOTHING,
    *,
    strands: int = 1,
    codons_read: float = 0.0,
    readings: int = 1,
) -> list[Part]:
    """The parts of a codec; works on the meta device.

    Args:
        codec: tokenizer and readout.
        contents: of all rows that pass through it together.
        strands: that the tokenizer reads.
        codons_read: codons of which the codon head gives a probability.
        readings: how often the de-tokenizer gives it, where there is no head.
    """
    tokenizer, nucleotides = codec.tokenizer, 3 * contents.num_codons * strands
    width, trained = tokenizer.embedding.embedding_dim, is_trained(tokenizer)

    def positions(module: nn.Module) -> float:
        """A linear layer over the nucleotides of a codon reads a third as many."""
        return nucleotides * width / module.in_features if isinstance(module, nn.Linear) else nucleotides

    parts = [Part("tokenizer", x, positions(x), below=trained) for x in tokenizer.children()]
    has_dna = contents.num_nucleotides - 3 * contents.cds_codons > 1
    passes = int(has_dna) + (readings if codec.codon_head is None else 0)
    parts.append(Part("de-tokenizer", codec.detokenizer, 3 * contents.num_codons * passes))
    if codec.codon_head is not None:
        parts.append(Part("codon head", codec.codon_head, codons_read))
    if codec.translator is not None:
        parts.append(Part("translator", codec.translator, contents.cds_codons))
    return parts


def model_parts(
    model: LifeCode,
    contents: RowContents = _NOTHING,
    *,
    codons_read: float = 0.0,
    is_taught: bool = False,
) -> list[Part]:
    """The parts of a model; works on the meta device. Both strands pass through its layers in one call.

    Args:
        model: any.
        contents: of all rows that pass through it together.
        codons_read: codons of which the codon head gives a probability.
        is_taught: whether a loss reads the protein decoder.
    """
    encoder, codec, codons = model.encoder, model.codec, contents.num_codons
    strands = 1 if encoder.strands == "forward" else 2
    sides = 2 if encoder.strands == "rc" else 1  # that the projections see apart
    around, below = "encoder projections and norm", is_trained(codec.tokenizer)
    parts = [
        # The codons that became [MASK] are read once more, for the log.
        *codec_parts(codec, contents, strands=sides, codons_read=codons_read, readings=2),
        Part(
            LAYERS,
            encoder.layers,
            strands * codons,
            strands * contents.squared_codons,
            checkpointing=encoder.activation_checkpointing,
        ),
        Part(around, encoder.in_proj, sides * codons, below=below),
        Part(around, encoder.norm, strands * codons),
        Part(around, encoder.out_proj, sides * codons),
        Part("codon projection", model.codon_projection, codons),
    ]
    if model.protein_decoder is not None:
        of_loss = 2 * model.config["teacher_width"]
        read = contents.cds_codons if is_taught else 0.0
        parts.append(Part("protein decoder", model.protein_decoder, read, loss_values=of_loss))
    return parts
