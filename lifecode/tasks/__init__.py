"""Tasks with labels of a user's own: read, split, learnt on frozen states, beside honest baselines."""

from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.finetune import Finetuned
from lifecode.tasks.pairs.pair_head import PairHead
from lifecode.tasks.pairs.pair_task import PairTask
from lifecode.tasks.probe import Probe
from lifecode.tasks.tuned_model import TunedModel

__all__ = ["Finetuned", "PairHead", "PairTask", "Probe", "SequenceTask", "TunedModel"]
