"""FSDP2: every process keeps a part of each parameter and gathers a layer's while it passes through.

Checkpoints are those of one process: whole tensors, optimizer state by the position of a parameter in the
optimizer's groups. So a run can go on with another number of processes, or without sharding.
"""

from itertools import chain
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule
from lightning.pytorch.strategies import ModelParallelStrategy
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.optim import Optimizer

from lifecode.models.layers.block import Block

_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)
_FROM_WHOLE = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)


def shard(module: nn.Module, mesh: DeviceMesh, *, bf16: bool) -> None:
    """Shards each `Block` by itself and the rest together, in place.

    Args:
        module: whose `forward` everything passes through.
        mesh: one-dimensional, of all processes.
        bf16: gather parameters in bf16; gradients are summed and kept in fp32, and activations stay what
            autocast makes of them, so the residual stream stays in fp32.
    """
    if isinstance(module, FSDPModule):
        return
    policy = MixedPrecisionPolicy(
        param_dtype=torch.bfloat16 if bf16 else None,
        reduce_dtype=torch.float32 if bf16 else None,
        cast_forward_inputs=False,
    )
    for part in module.modules():
        if isinstance(part, Block):
            fully_shard(part, mesh=mesh, mp_policy=policy)
    fully_shard(module, mesh=mesh, mp_policy=policy)


def gather(sharded: nn.Module, *, into: nn.Module) -> None:
    """Copies the whole parameters and buffers into an unsharded twin, on the first process only."""
    state = get_model_state_dict(sharded, options=_WHOLE)
    if state:
        into.load_state_dict(state)


class FullySharded(ModelParallelStrategy):
    """Lightning's strategy for FSDP2 over all processes, with the checkpoints of one process."""

    def __init__(self) -> None:
        super().__init__(tensor_parallel_size=1, save_distributed_checkpoint=False)

    def setup_environment(self) -> None:
        """Spreads the parameters over all processes of all machines."""
        self._data_parallel_size = self.num_nodes * self.num_processes
        super().setup_environment()

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """The whole state as `optimizer.state_dict()` of one process has it; empty but on the first."""
        assert self.model is not None
        optimizer = getattr(optimizer, "_optimizer", optimizer)
        state = get_optimizer_state_dict(self.model, optimizer, options=_WHOLE)
        if not state:
            return {}
        values: Any = state["state"]
        groups: Any = state["param_groups"]
        number = {name: i for i, name in enumerate(chain(*(group["params"] for group in groups)))}
        return {
            "state": {number[name]: value for name, value in values.items()},
            "param_groups": [group | {"params": [number[n] for n in group["params"]]} for group in groups],
        }

    def load_checkpoint(
        self, checkpoint_path: str | Path, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Spreads a checkpoint of whole tensors over the processes; returns it."""
        assert isinstance(self.model, LightningModule)
        checkpoint = torch.load(checkpoint_path, map_location="cpu", mmap=True, weights_only=True)
        set_model_state_dict(self.model, checkpoint["state_dict"], options=_FROM_WHOLE)
        names = {id(parameter): name for name, parameter in self.model.named_parameters()}
        for optimizer, state in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            ours = [[names[id(p)] for p in group["params"]] for group in optimizer.param_groups]
            name = dict(enumerate(chain(*ours)))
            by_name = {
                "state": {name[number]: values for number, values in state["state"].items()},
                "param_groups": [
                    group | {"params": own} for group, own in zip(state["param_groups"], ours, strict=True)
                ],
            }
            set_optimizer_state_dict(self.model, optimizer, by_name, options=_FROM_WHOLE)
        return checkpoint
