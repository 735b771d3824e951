"""The keys of `tuning`, and sections of a config that a run in this way of tuning does not read."""

from typing import Any

from omegaconf import DictConfig

from lifecode.app.configs.construct import construct
from lifecode.tasks.pairs.pair_head import PairHead
from lifecode.tasks.probe import Probe
from lifecode.tasks.tuning.settings import Fit, Lora, TrainedHead, Tuning, TuningSettings


def by_gradient(tuning: Tuning, head: TrainedHead, fit: Fit, lora: Lora) -> TuningSettings | None:
    """How to tune; None of a probe."""
    return None if tuning == "probe" else TuningSettings(tuning=tuning, head=head, fit=fit, lora=lora)


def unread_sections(config: DictConfig, tuning: Tuning, *, pairs: bool) -> list[str]:
    """Sections that were changed and are not read by this run: a sweep over `tuning` may well give such."""
    probe: Probe = construct(config.probe)
    unread: dict[str, Any] = {} if pairs else {"pair": PairHead()}
    if tuning == "probe":
        unread |= {"head": TrainedHead(), "fit": Fit(), "lora": Lora()}
    else:
        unread |= {"probe": Probe(max_positions=probe.max_positions)}
        unread |= {} if tuning == "lora" else {"lora": Lora()}
    return [section for section, default in unread.items() if construct(config[section]) != default]
