"""Checkpoints as PyTorch itself writes them, for the tests of `sdk/onnx/checkpoint`.

`python3 test/tools/torch-checkpoints.py` writes test/fixtures/checkpoints (Debian: python3-torch). `--large FILE` writes a seeded checkpoint of the size of
Swin-V2-L with its head, 228,772,549 numbers and Microsoft's names and tables, to measure an import with; it is no part of the project.
"""

import argparse
import collections
import json
import pathlib
import sys

import numpy
import torch

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "checkpoints"


def weights():
    """Every element type, and views that do not lie in memory as they read."""
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 7
    state = collections.OrderedDict()
    state["plain"] = base
    state["turned"] = base.t()
    state["columns"] = base[:, 1::2]
    state["row"] = base[2]
    state["spread"] = torch.tensor([[1.5], [-2.5]]).expand(2, 3)
    state["swapped"] = torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1)
    state["scalar"] = torch.tensor(0.25)
    state["empty"] = torch.zeros(0, 3)
    state["parameter"] = torch.nn.Parameter(torch.tensor([1.0, -1.0]))
    for name, dtype in [
        ("f16", torch.float16),
        ("bf16", torch.bfloat16),
        ("f64", torch.float64),
        ("i64", torch.int64),
        ("i32", torch.int32),
        ("i16", torch.int16),
        ("i8", torch.int8),
    ]:
        state[name] = torch.tensor([-3, 0, 1, 100]).to(dtype)
    state["u8"] = torch.tensor([0, 1, 200, 255], dtype=torch.uint8)
    state["bool"] = torch.tensor([True, False, True])
    return state


def training():
    """What a trainer saves beside its weights."""
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(layer.parameters())
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4])
    layer(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return {
        "state_dict": weights(),
        "optimizer": optimizer.state_dict(),
        "lr_scheduler": schedule.state_dict(),
        "args": argparse.Namespace(rate=0.1, name="test"),
        "best": numpy.float64(0.5),
        "history": numpy.arange(3),
        "size": torch.Size([1, 2]),
        "device": torch.device("cpu"),
        "dtype": torch.float16,
        "seen": {1, 2, 3},
        "large": 2**70,
        "epoch": 7,
    }


def write_fixtures():
    torch.manual_seed(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    torch.save(training(), FOLDER / "training.pth")
    torch.save(weights(), FOLDER / "protocol4.pth", pickle_protocol=4)
    torch.save(weights(), FOLDER / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(2, 2), FOLDER / "module.pth")
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(FOLDER / "script.pt"))
    expected = {
        name: {"shape": list(tensor.shape), "numbers": tensor.detach().double().reshape(-1).tolist()}
        for name, tensor in weights().items()
    }
    (FOLDER / "expected.json").write_text(json.dumps(expected) + "\n")


def large():
    state = collections.OrderedDict()

    def put(name, *shape, spread=0.02, around=0.0):
        state[name] = around + spread * torch.randn(*shape)

    def norm(name, width):
        put(f"{name}.weight", width, around=1.0)
        put(f"{name}.bias", width)

    def dense(name, out, width, bias=True):
        put(f"{name}.weight", out, width)
        if bias:
            put(f"{name}.bias", out)

    put("patch_embed.proj.weight", 192, 3, 4, 4)
    put("patch_embed.proj.bias", 192)
    norm("patch_embed.norm", 192)
    for stage, (depth, heads, window, side) in enumerate([(2, 6, 12, 48), (2, 12, 12, 24), (18, 24, 12, 12), (2, 48, 6, 6)]):
        width, tokens = 192 * 2**stage, window * window
        offsets = torch.arange(1 - window, window, dtype=torch.float32) * 8 / (window - 1)
        offsets = offsets.sign() * torch.log2(offsets.abs() + 1) / 3
        for block in range(depth):
            at = f"layers.{stage}.blocks.{block}"
            norm(f"{at}.norm1", width)
            norm(f"{at}.norm2", width)
            put(f"{at}.attn.logit_scale", heads, 1, 1, around=2.3)
            put(f"{at}.attn.q_bias", width)
            put(f"{at}.attn.v_bias", width)
            state[f"{at}.attn.relative_coords_table"] = torch.stack(torch.meshgrid(offsets, offsets, indexing="ij"), -1)[None].contiguous()
            state[f"{at}.attn.relative_position_index"] = torch.zeros(tokens, tokens, dtype=torch.int64)
            dense(f"{at}.attn.cpb_mlp.0", 512, 2)
            dense(f"{at}.attn.cpb_mlp.2", heads, 512, bias=False)
            dense(f"{at}.attn.qkv", 3 * width, width, bias=False)
            dense(f"{at}.attn.proj", width, width)
            dense(f"{at}.mlp.fc1", 4 * width, width)
            dense(f"{at}.mlp.fc2", width, 4 * width)
            if block % 2 == 1 and side > window:
                state[f"{at}.attn_mask"] = torch.zeros(side * side // tokens, tokens, tokens)
        if stage < 3:
            dense(f"layers.{stage}.downsample.reduction", 2 * width, 4 * width, bias=False)
            norm(f"layers.{stage}.downsample.norm", 2 * width)
    norm("norm", 1536)
    dense("head", 21841, 1536)
    return state


if __name__ == "__main__":
    if sys.argv[1:2] == ["--large"]:
        torch.manual_seed(1)
        torch.save({"model": large()}, sys.argv[2])
    else:
        write_fixtures()
