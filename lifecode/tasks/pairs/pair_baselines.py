"""The honest baselines of pairs: lengths, composition, one side alone, the rule of the central dogma."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lifecode.evaluation.metrics import metric_named
from lifecode.tasks.examples.labels import LabelKind
from lifecode.tasks.features.multi_hot import MultiHot
from lifecode.tasks.heads.head import Head
from lifecode.tasks.heads.registry import linear_head
from lifecode.tasks.one_hot_transformer import LetterTokens, TransformerHead
from lifecode.tasks.pairs.boosting import BoostingHead
from lifecode.tasks.pairs.composition import composition, lengths
from lifecode.tasks.pairs.dogma_rule import rule_features
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.side import Side, SideKind

PairBaseline = Literal[
    "constant",
    "lengths",
    "first_alone",
    "second_alone",
    "composition",
    "composition_boosting",
    "dogma_rule",
    "multi_hot",
    "one_hot_transformer",
    "untrained",
]
"""`first_alone` and `second_alone` see the composition of one side: what they reach needs no pair at all.

`multi_hot` sees which 4-mers of nucleotides and 2-mers of residues both have, `one_hot_transformer` learns
from the letters of both, from scratch; these two have to be named."""
_FEW_SEQUENCES = 50


def usual_pair_baselines(examples: PairExamples) -> list[PairBaseline]:
    """All but those that have to be named; the rule where a DNA stands beside a protein."""
    found: list[PairBaseline] = ["constant", "lengths", "first_alone", "second_alone", "composition"]
    found.append("composition_boosting")
    if examples.first.kind != "protein" and examples.second.kind == "protein":
        found.append("dogma_rule")
    return [*found, "untrained"]


def fitting_pair_baselines(first: SideKind | None, second: SideKind | None) -> tuple[PairBaseline, ...]:
    """Those that can be asked for; the rule is of a nucleic acid beside a protein, None may be either."""
    has_rule = first != "protein" and second in (None, "protein")
    return tuple(name for name in get_args(PairBaseline) if has_rule or name != "dogma_rule")


def pair_blocks(name: PairBaseline, examples: PairExamples) -> list[NDArray[np.float32]]:
    """What a baseline learns from; none for `constant`."""
    if name == "constant":
        return []
    if name == "lengths":
        return [lengths(examples)]
    if name == "dogma_rule":
        return [rule_features(examples)]
    if name == "multi_hot":
        return [_of_sequences(side, MultiHot.of(side.molecule)) for side in (examples.first, examples.second)]
    if name == "one_hot_transformer":
        return [_tokens(side) for side in (examples.first, examples.second)]
    sides = {"first_alone": [examples.first], "second_alone": [examples.second]}
    return [composition(side) for side in sides.get(name, [examples.first, examples.second])]


def pair_head(name: PairBaseline, kind: LabelKind) -> Head | None:
    """Its head; None for `constant`."""
    if name == "constant":
        return None
    if name == "one_hot_transformer":
        return TransformerHead(kind)
    return BoostingHead(kind == "regression") if name == "composition_boosting" else linear_head(kind)


def _of_sequences(side: Side, features: MultiHot) -> NDArray[np.float32]:
    return features(side.sequences())[side.rows]


def _tokens(side: Side) -> NDArray[np.float32]:
    sequences = side.sequences()
    return LetterTokens.of(sequences, side.molecule)(sequences)[side.rows]


def pair_warnings(examples: PairExamples, tables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Why figures of these pairs may be no evidence.

    Args:
        examples: pairs.
        tables: of `Contest.table`, by the name of the model.
    """
    found = [
        f"only {len(side.letters)} different {word} sequences: the pairs repeat them"
        for side, word in ((examples.first, "first"), (examples.second, "second"))
        if len(side.letters) < _FEW_SEQUENCES
    ]
    for name, table in tables.items():
        difference = table.get("differences", {}).get("lengths")
        if difference is None:
            continue
        less_is_better = metric_named(table["metric"]).higher_is_better is False
        if (-difference["high"] if less_is_better else difference["low"]) <= 0:
            found.append(
                f"{name} is not told from lengths alone ({difference['mean']:+.3f}, 95 % from "
                f"{difference['low']:+.3f} to {difference['high']:+.3f}): no evidence that more was learnt"
            )
    return found
