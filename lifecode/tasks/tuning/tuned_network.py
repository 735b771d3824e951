"""A network that was tuned by gradient as a folder: encoder, adapters, and the head in a file of its own."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from lifecode.errors import UserError
from lifecode.host.checksum import sha256
from lifecode.models.families import load
from lifecode.models.saved import SavedModel
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.families.registry import reading_of
from lifecode.tasks.pairs.pair_head import PairHead
from lifecode.tasks.pairs.side import SideKind
from lifecode.tasks.tuning.adapters import CONFIG, WEIGHTS, load_adapters, merged, save_adapters
from lifecode.tasks.tuning.network import TaskNetwork, predicted
from lifecode.tasks.tuning.new_network import network_of
from lifecode.tasks.tuning.pair_framing import PairFraming
from lifecode.tasks.tuning.rows import Framing
from lifecode.tasks.tuning.settings import GradientTuning, TrainedHead
from lifecode.tasks.tuning.tuner import Tuned, Tuner

DESCRIPTION, HEAD, ENCODER, ADAPTER = "head.json", "head.safetensors", "encoder", "adapter"


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedNetwork:
    """An encoder that was tuned with a head, or frozen under one.

    Attributes:
        labels: kind and classes.
        network: encoder and head, in evaluation mode.
        settings: of the head.
        framing: how sequences become rows.
        model: the encoder as it was before, without adapters; of `full` the tuned one.
        adapted: the `peft.PeftModel` around the encoder in `network`; None where it has none or is merged.
        told: what it was tuned on, for people.
        pair: of pairs, how both sides are joined.
    """

    labels: Labels
    network: TaskNetwork
    settings: TrainedHead
    framing: Framing | PairFraming
    model: SavedModel
    adapted: Any = None
    told: dict[str, Any] = field(default_factory=dict)
    pair: PairHead | None = None

    @property
    def kinds(self) -> tuple[SideKind, SideKind] | None:
        """Of both sides; None of sequences."""
        return self.framing.kinds if isinstance(self.framing, PairFraming) else None

    @property
    def molecule(self) -> Molecule:
        """What it reads; of pairs the first side."""
        framing = self.framing
        return framing.first.molecule if isinstance(framing, PairFraming) else framing.molecule

    @property
    def tuning(self) -> GradientTuning:
        """What learnt."""
        return self.network.tuning

    def predict(self, sequences: Any) -> NDArray[Any]:
        """Values (n,) of a regression, or the probability of each of `labels.classes` (n, num_classes).

        Values are in the units of the labels, where their logarithm was learnt too.

        Where positions have labels, for each sequence an array of such, (num_positions,) or (num_positions,
        num_classes), in an array (n,) of dtype object.

        Args:
            sequences: arrays of ids, or what `embed` takes: text, records, a path; proteins as text; of
                pairs `(first, second)` letters of each.

        Raises:
            UserError: no sequence, an empty one, or a letter that is no nucleotide, or no residue.
        """
        return self.labels.given(predicted(self.network, self.framing, self.framing.examples(sequences)))

    def save(self, folder: Path) -> None:
        """Write all files into a folder that exists."""
        self.network.cpu()
        self.model.save_pretrained(folder / ENCODER)
        files = [HEAD]
        if self.tuning == "lora":
            save_adapters(self.adapted, folder / ADAPTER)
            files += [f"{ADAPTER}/{CONFIG}", f"{ADAPTER}/{WEIGHTS}"]
        state = {name: x for name, x in self.network.learned().items() if not name.startswith("model.")}
        save_file({name: x.contiguous() for name, x in state.items()}, folder / HEAD)
        described = {
            "tuning": self.tuning,
            **self.labels.to_described(),
            "head": asdict(self.settings),
            "reading": self.framing.described(),
            **({} if self.pair is None else {"pair": asdict(self.pair)}),
            "sha256": {name: sha256(folder / name) for name in files},
            "tuned_on": self.told,
        }
        text = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
        (folder / DESCRIPTION).write_text(text, encoding="utf-8")


def tuned_network(tuner: Tuner, tuned: Tuned, told: dict[str, Any]) -> TunedNetwork:
    """What a tuner made, ready to be saved."""
    model = tuned.network.model if tuner.settings.tuning == "full" else tuner.model
    return TunedNetwork(
        labels=tuner.labels,
        network=tuned.network,
        settings=tuned.head,
        framing=tuner.framing,
        model=model,
        adapted=tuned.adapted,
        told=told,
        pair=tuner.settings.pair,
    )


def load_network(folder: Path, described: Mapping[str, Any], *, merge: bool) -> TunedNetwork:
    """The network that `TunedNetwork.save` wrote.

    Args:
        folder: of the run.
        described: what its head.json holds.
        merge: add adapters to the weights, which gives the same outputs in less time.

    Raises:
        UserError: a file is missing or was changed, or the adapters or the head do not fit the encoder.
    """
    path = folder / DESCRIPTION
    try:
        labels = Labels.from_described(described)
        settings, pair = TrainedHead(**described["head"]), None
        of_rows: dict[str, Any] = dict(described["reading"])
        if "pair" in described:
            pair = PairHead(**described["pair"])
        tuning, sums = described["tuning"], dict(described["sha256"])
    except (KeyError, TypeError) as fault:
        raise UserError(
            f"describes no model of this version ({fault})", source=path, remedy="Copy the folder again"
        ) from fault
    for name in [HEAD, *([f"{ADAPTER}/{CONFIG}", f"{ADAPTER}/{WEIGHTS}"] if tuning == "lora" else [])]:
        if not (folder / name).is_file() or sha256(folder / name) != sums.get(name):
            raise UserError(
                f"{name} does not match its SHA-256 in {DESCRIPTION}",
                source=folder,
                remedy="Copy the folder again",
            )
    model = load(folder / ENCODER)
    try:
        framing = _framing(model, of_rows)
    except (KeyError, TypeError) as fault:
        raise UserError(
            f"describes no model of this version ({fault})", source=path, remedy="Copy the folder again"
        ) from fault
    adapted = load_adapters(model, folder / ADAPTER) if tuning == "lora" else None
    encoder = model if adapted is None else merged(adapted) if merge else adapted.base_model.model
    network = network_of(encoder, tuning, settings, framing, labels, pair)
    try:
        state = load_file(folder / HEAD)
        own = {name for name in network.learned() if not name.startswith("model.")}
        network.load_learned({**network.learned(), **{name: state[name] for name in own | set(state)}})
    except (KeyError, OSError, ValueError, RuntimeError, SafetensorError) as fault:
        raise UserError(
            f"does not fit the encoder ({fault})", source=folder / HEAD, remedy="Copy the folder again"
        ) from fault
    return TunedNetwork(
        labels=labels,
        network=network.eval(),
        settings=settings,
        framing=framing,
        model=model,
        adapted=None if merge else adapted,
        told=described.get("tuned_on", {}),
        pair=pair,
    )


def _framing(model: SavedModel, described: Mapping[str, Any]) -> Framing | PairFraming:
    """What `Framing.described`, or that of pairs, said."""

    def of(one: Mapping[str, Any]) -> Framing:
        return Framing(family=reading_of(model, one.get("molecule", "dna")), **one)

    if "kinds" not in described:
        return of(described)
    first, second = described["kinds"]
    return PairFraming(
        kinds=(first, second),
        first=of(described["first"]),
        second=of(described["second"]),
        row_codons=described["row_codons"],
    )
