"""What is tuned, and how: the keys of `head`, `fit` and `lora`; a list of values is a grid."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Literal, NamedTuple

from lifecode.errors import UserError
from lifecode.tasks.families.place import FrameReading
from lifecode.tasks.features.states import StatePool
from lifecode.tasks.pairs.pair_head import PairHead

Tuning = Literal["probe", "head", "lora", "full"]
GradientTuning = Literal["head", "lora", "full"]
TrainedPool = Literal[StatePool, "attention", "value_attention"]
_ENCODER = re.compile(r"[1-9]\d*x[1-9]\d*")
_USUAL_LR = {"head": 1e-3, "lora": 1e-3, "full": 3e-4}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedHead:
    """What a head that is trained by gradient makes of states; keys that `Probe` has too mean the same.

    Args:
        pools: beside those of a probe `attention`, a learned weight for each position, and `value_attention`,
            one for each feature of each position; None takes `mean`, or for labels of positions the state of
            the position, where `centre` takes the `window` states around it.
        frames: as of a probe; None takes 0 for coding sequences and `stack` for any others.
        layer: as of a probe; `mix` learns a weight for each layer.
        projected: as of a probe.
        window: as of a probe.
        max_codons: as of a probe.
        encoder: a small transformer on the states before they are pooled, LAYERSxHEADS such as `2x4`; None
            has none. A list is tried on the validation rows, None among it.
        projection: width of a layer on the pooled vector of each sequence, of pairs before they are joined;
            None has none.
        hidden: width of a hidden layer; None has none.
        dropout: share of the features that a training step leaves out.
    """

    pools: list[TrainedPool] | None = None
    frames: FrameReading | None = None
    layer: int | Literal["mix"] | None = None
    projected: bool = False
    window: int = 8
    max_codons: int | None = None
    encoder: str | list[str | None] | None = None
    projection: int | None = None
    hidden: int | None = None
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.pools is not None and not self.pools:
            raise UserError("names no pooling", source="head.pools", remedy="Give [mean], say")
        for name in ("window", "max_codons", "projection", "hidden"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError("is not positive", source=f"head.{name}")
        if not 0 <= self.dropout < 1:
            raise UserError("does not lie in [0, 1)", source="head.dropout")
        if self.encoder == []:
            raise UserError("is an empty list", source="head.encoder")
        for encoder in self.encoders:
            if encoder is not None and not _ENCODER.fullmatch(encoder):
                raise UserError(
                    f"{encoder!r} is no LAYERSxHEADS", source="head.encoder", remedy="Give 2x4, say, or null"
                )

    @property
    def encoders(self) -> list[str | None]:
        """Those that are tried."""
        return list(self.encoder) if isinstance(self.encoder, list) else [self.encoder]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """Adapters of low rank on linear layers of the encoder's stack.

    Args:
        rank: of each; a list is tried on the validation rows.
        alpha: their product is multiplied by alpha / rank; a list is tried too.
        dropout: before each.
        targets: last names of the linear layers; None takes all of the stack but the gates.
    """

    rank: int | list[int] = 8
    alpha: int | list[int] = 16
    dropout: float = 0.0
    targets: list[str] | None = None

    def __post_init__(self) -> None:
        for values in (self.rank, self.alpha):
            if min(_listed(values), default=0) < 1:
                raise UserError("rank and alpha are at least 1", source="lora")
        if not 0 <= self.dropout < 1:
            raise UserError("does not lie in [0, 1)", source="lora.dropout")


class Candidate(NamedTuple):
    """One point of the grid; rank and alpha are 0 without adapters."""

    lr: float
    weight_decay: float
    epochs: int
    batch: int
    encoder: str | None
    rank: int = 0
    alpha: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How long and how fast weights learn; a list of lr, weight_decay, epochs or batch is a grid.

    Args:
        lr: highest learning rate, after the warm-up; None takes 1e-3, and 3e-4 for `full`.
        weight_decay: of matrices.
        epochs: passes over the training rows, if it does not end before.
        warmup: share of all steps in which the learning rate rises; then it falls along a cosine.
        batch: sequences of a step.
        max_codons: of a packed row, or letters of a model of letters; a step has as many rows as it needs,
            which costs memory alone.
        patience: epochs without gain on the validation rows after which it ends.
        class_weights: `balanced` weighs each class by one over its share; or a number by class.
        checkpoint_every_steps: steps that a kill loses at most.
        accelerator: `auto`, `cpu` or `gpu`, which is CUDA.
        precision: `32-true` or `bf16-mixed`.
    """

    lr: float | list[float] | None = None
    weight_decay: float | list[float] = 0.01
    epochs: int | list[int] = 20
    warmup: float = 0.1
    batch: int | list[int] = 32
    max_codons: int = 8_192
    patience: int = 5
    class_weights: Literal["balanced"] | dict[str, float] | None = None
    checkpoint_every_steps: int = 100
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    precision: Literal["32-true", "bf16-mixed"] = "32-true"

    def __post_init__(self) -> None:
        if not all(value > 0 and math.isfinite(value) for value in _listed(self.lr)):
            raise UserError("is not positive", source="fit.lr")
        if not all(value >= 0 and math.isfinite(value) for value in _listed(self.weight_decay)):
            raise UserError("is negative", source="fit.weight_decay")
        for name in ("lr", "weight_decay", "epochs", "batch"):
            if getattr(self, name) == []:
                raise UserError("is an empty list", source=f"fit.{name}")
        if min(_listed(self.epochs)) < 1:
            raise UserError("is less than 1", source="fit.epochs")
        for name in ("batch", "max_codons", "patience", "checkpoint_every_steps"):
            if min(_listed(getattr(self, name))) < 1:
                raise UserError("is less than 1", source=f"fit.{name}")
        if not 0 <= self.warmup <= 1:
            raise UserError("does not lie in [0, 1]", source="fit.warmup")
        weights = self.class_weights if isinstance(self.class_weights, dict) else {}
        if not all(weight > 0 and math.isfinite(weight) for weight in weights.values()):
            raise UserError("is not positive", source="fit.class_weights")

    def candidates(self, tuning: GradientTuning, lora: Lora, head: TrainedHead) -> Iterator[Candidate]:
        """Every point of the grid, in the order in which the keys list their values."""
        adapters = ([0], [0]) if tuning != "lora" else (_listed(lora.rank), _listed(lora.alpha))
        rates = _listed(self.lr) or [_USUAL_LR[tuning]]
        points: Iterable[Any] = product(
            rates,
            _listed(self.weight_decay),
            _listed(self.epochs),
            _listed(self.batch),
            head.encoders,
            *adapters,
        )
        yield from (Candidate(*point) for point in points)


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningSettings:
    """All that says how an encoder is tuned, whatever the data.

    Attributes:
        tuning: what learns.
        head: what it reads.
        fit: how it learns.
        lora: adapters, of `lora`.
        pair: of pairs, how both sides are joined.
    """

    tuning: GradientTuning
    head: TrainedHead
    fit: Fit
    lora: Lora
    pair: PairHead | None = None

    def described(self) -> dict[str, Any]:
        """For metrics.json."""
        found = {"tuning": self.tuning, "head": asdict(self.head), "fit": asdict(self.fit)}
        found |= {"lora": asdict(self.lora)} if self.tuning == "lora" else {}
        return found | ({} if self.pair is None else {"pair": {"joins": self.pair.joins}})


def _listed(value: object) -> list:
    return [] if value is None else list(value) if isinstance(value, list) else [value]
