"""What stays in fp32 when autocast computes in bf16."""

import torch

from lifecode.data.batches.packing import pack
from lifecode.models import CodonCodec, LifeCode
from lifecode.models.layers.block import Block
from tests.support.small_models import small_model


def test_the_residual_stream_stays_in_fp32():
    model = small_model(depth=4)
    seen = []
    for module in model.modules():
        if isinstance(module, Block):
            module.register_forward_hook(
                lambda _, inputs, output: seen.extend([inputs[0].dtype, output.dtype])
            )
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model.encode(pack(["ACGTTGCAA" * 5]))
    assert len(seen) == 10
    assert set(seen) == {torch.float32}
    assert hidden.dtype == torch.bfloat16


def test_24_layers_in_bf16_stay_within_2_percent_of_fp32():
    torch.manual_seed(0)
    codec = CodonCodec(nucleotide_dim=64, conv_channels=32, num_heads=2, translator_hidden=16)
    model = LifeCode(codec=codec, width=128, depth=24, hybrid_ratio="11:1", num_heads=4).eval()
    packed = pack(["".join("ACGT"[i] for i in torch.randint(4, (n,)).tolist()) for n in (900, 333, 6)])
    with torch.no_grad():
        exact = model.encode(packed)
        with torch.autocast("cpu", torch.bfloat16):
            rounded = model.encode(packed).float()
    error = (rounded - exact).norm() / exact.norm()
    assert 1e-4 < error < 0.02
