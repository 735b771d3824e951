"""A fine-tuned model as a folder: what it reads, the head, the label map, and the encoder it was tuned on.

`head.json` names features, classes and data; `head.safetensors` holds the numbers of the head; `encoder/` is
a model folder like any other.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.host.checksum import sha256
from lifecode.models.families import load
from lifecode.models.hub import HUB_ID, TUNED_FILES, model_folder
from lifecode.models.saved import SavedModel
from lifecode.tasks.examples.examples import sequences_of
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.features.at_positions import PositionFeatures
from lifecode.tasks.features.encoder import ModelEncoder
from lifecode.tasks.features.feature import Features
from lifecode.tasks.features.registry import features_from, position_features_from
from lifecode.tasks.heads.head import FittedHead
from lifecode.tasks.heads.saved import load_head, save_head
from lifecode.tasks.pairs.pair_head import PairHead
from lifecode.tasks.tuned_pairs import TunedPairs
from lifecode.tasks.tuning.tuned_network import TunedNetwork, load_network

DESCRIPTION, HEAD, ENCODER = "head.json", "head.safetensors", "encoder"


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedModel:
    """An encoder, features of its states and of sequences, and a head on them.

    Attributes:
        labels: kind and classes.
        features: what the head reads, in its order; of labels of positions those of each position.
        head: fitted.
        model: the encoder.
        molecule: what it reads.
        told: what it was tuned on, for people.
    """

    labels: Labels
    features: Sequence[Features] | Sequence[PositionFeatures]
    head: FittedHead
    model: SavedModel
    molecule: Molecule = "dna"
    told: dict[str, Any] = field(default_factory=dict)

    def predict(self, sequences: Any) -> NDArray[Any]:
        """Values (n,) of a regression, or the probability of each of `labels.classes` (n, num_classes).

        Values are in the units of the labels, where their logarithm was learnt too.

        Where positions have labels, for each sequence an array of such, (num_positions,) or (num_positions,
        num_classes), in an array (n,) of dtype object.

        Args:
            sequences: arrays of ids, or what `embed` takes: text, records, a path; proteins as text.

        Raises:
            UserError: no sequence, an empty one, or a letter that is no nucleotide, or no residue.
        """
        sequences = sequences_of(sequences, self.molecule)
        if self.labels.unit == "sequence":
            blocks: Any = [features(sequences) for features in self.features]
            return self.labels.given(self.head.predict(blocks))
        found = np.empty(len(sequences), dtype=object)
        for number, table in self.features[0](sequences):
            found[number] = self.head.predict([table])  # pyright: ignore[reportArgumentType]
        return found

    def described(self) -> dict[str, Any]:
        """All but labels, encoder and head."""
        return {
            "molecule": self.molecule,
            "features": [features.config for features in self.features],
        }


Tuned = TunedModel | TunedPairs | TunedNetwork
"""What a fine-tuning gives."""


def save_tuned(tuned: Tuned, folder: Path) -> None:
    """Write all files of a fine-tuned model into a folder that exists."""
    if isinstance(tuned, TunedNetwork):
        tuned.save(folder)
        return
    tuned.model.save_pretrained(folder / ENCODER)
    save_head(tuned.head, folder / HEAD)
    described = {
        "tuning": "probe",
        **tuned.labels.to_described(),
        **tuned.described(),
        "head": tuned.head.kind,
        "head_sha256": sha256(folder / HEAD),
        "tuned_on": tuned.told,
    }
    text = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
    (folder / DESCRIPTION).write_text(text, encoding="utf-8")


def tuned_folder(name_or_folder: str | Path) -> Path:
    """The folder of a fine-tuned model, which a name on the hub (user/name) is downloaded to.

    Raises:
        UserError: the hub cannot be used or reached, or does not have it.
    """
    folder = Path(name_or_folder).expanduser()
    if folder.exists() or not (isinstance(name_or_folder, str) and HUB_ID.fullmatch(name_or_folder)):
        return folder
    made_by = "Give the run_dir of a `lifecode finetune`"
    return model_folder(name_or_folder, files=TUNED_FILES, made_by=made_by)


def load_tuned(folder: str | Path, *, merge: bool = True) -> Tuned:
    """The model that a fine-tuning wrote.

    Args:
        folder: of the run, or its name on the hub.
        merge: add adapters of `tuning=lora` to the weights, which gives the same outputs in less time.

    Raises:
        UserError: the folder holds no fine-tuned model, or a file was changed.
    """
    folder = tuned_folder(folder)
    path = folder / DESCRIPTION
    if not path.is_file():
        raise UserError(
            f"holds no fine-tuned model (no {DESCRIPTION})",
            source=folder,
            remedy="Give the run_dir of a `lifecode finetune`",
        )
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        if described.get("tuning", "probe") != "probe":
            return load_network(folder, described, merge=merge)
        labels = Labels.from_described(described)
        molecule: Molecule = described.get("molecule", "dna")
        configs, kind, expected = described["features"], described["head"], described["head_sha256"]
        pair = PairHead(**described["pair"]) if "sides" in described else None
    except UserError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise UserError(
            f"describes no model ({fault})", source=path, remedy="Copy the folder again"
        ) from fault
    if not (folder / HEAD).is_file() or sha256(folder / HEAD) != expected:
        raise UserError(
            f"{HEAD} does not match its SHA-256 in {DESCRIPTION}",
            source=folder,
            remedy="Copy the folder again",
        )
    model = load(folder / ENCODER)
    head = load_head(kind, folder / HEAD)
    told = described.get("tuned_on", {})
    if pair is not None:
        first, second = described["sides"]
        features = {
            each: features_from(config, ModelEncoder(model, each)) for each, config in configs.items()
        }
        return TunedPairs(
            labels=labels,
            kinds=(first, second),
            pair=pair,
            features=features,
            head=head,
            model=model,
            told=told,
        )
    made = features_from if labels.unit == "sequence" else position_features_from
    return TunedModel(
        labels=labels,
        features=[made(config, ModelEncoder(model, molecule)) for config in configs],  # pyright: ignore[reportArgumentType]
        head=head,
        model=model,
        molecule=molecule,
        told=told,
    )
