"""Writes test/fixtures/torch: modules of sdk/models written a second time in PyTorch, with their losses and gradients.

Run `python3 test/tools/torch-fixtures.py` where PyTorch is installed (Debian: python3-torch). Computed in float64, stored in float32. Attention is
written out with keys and values, as textbooks have it, not in the absorbed form that the SDK computes. Each file holds inputs (`in/`), parameters (`w/`),
outputs (`out/`) and the gradients of the loss `out/loss` (`g/`).
"""

import json
import pathlib
import struct

import torch
import torch.nn.functional as F

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "torch"


class Weights(dict):
    """Parameters by name, made of noise the first time they are asked for; rounded to float32, kept as float64."""

    def get_or_make(self, name, *shape, around=0.0, scale=None):
        if name not in self:
            spread = scale if scale is not None else shape[-1] ** -0.5 if len(shape) > 1 else 0.3
            value = (around + spread * torch.randn(*shape)).float().double()
            self[name] = value.requires_grad_()
        return self[name]


def linear(w, name, x, out, bias=True):
    weight = w.get_or_make(f"{name}.weight", out, x.shape[-1])
    return F.linear(x, weight, w.get_or_make(f"{name}.bias", out) if bias else None)


def norm(w, name, x):
    width = x.shape[-1]
    scale = w.get_or_make(f"{name}.weight", width, around=1.0)
    return F.layer_norm(x, (width,), scale, w.get_or_make(f"{name}.bias", width))


def heads_of(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def attend(query, key, value, heads, hidden=None):
    """Multi-head attention on projected rows [B, n, r]; `hidden` [B, m] marks keys that are not there."""
    q, k, v = (heads_of(x, heads) for x in (query, key, value))
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if hidden is not None:
        scores = scores.masked_fill(hidden[:, None, None, :], -torch.inf)
    return (scores.softmax(-1) @ v).transpose(-3, -2).flatten(-2)


def attention(w, name, x, context, heads, hidden):
    width = x.shape[-1]
    q = linear(w, f"{name}.query", x, width)
    k = linear(w, f"{name}.key", context, width)
    v = linear(w, f"{name}.value", context, width)
    return linear(w, f"{name}.out", attend(q, k, v, heads, hidden), width)


def lcd(w, inputs):
    x = inputs["x"]
    n, _, width = x.shape
    inner, count, heads = 16, 3, 2
    meta = w.get_or_make("meta_tokens", count, width, scale=1.0)
    kept = (meta @ x.transpose(1, 2) / width**0.5).softmax(-1) @ x
    normed = F.layer_norm(x, (width,))
    query = linear(w, "query", meta, inner, bias=False).expand(n, count, inner)
    key, value = (linear(w, name, normed, inner, bias=False) for name in ("key", "value"))
    task = linear(w, "out", attend(query, key, value, heads), width, bias=False)
    y = norm(w, "norm", kept + task * w.get_or_make("gate", width))
    return {"y": y, "loss": (y * inputs["weight"]).sum()}


def localization(w, inputs):
    audio, visual, mask, labels = (inputs[name] for name in ("audio", "visual", "mask", "labels"))
    b, t, k, c = audio.shape
    time = w.get_or_make("fusion.time", t, 1, c, scale=0.3)
    tokens = [x + time + w.get_or_make(f"fusion.{name}", c) for name, x in (("audio", audio), ("visual", visual))]
    x = torch.cat([y.flatten(1, 2) for y in tokens], 1)
    hidden = mask.repeat_interleave(k, 1).repeat(1, 2) == 0
    y = norm(w, "fusion.layers.0.norm1", x)
    x = x + attention(w, "fusion.layers.0.attention", y, y, 2, hidden)
    y = linear(w, "fusion.layers.0.mlp.fc1", norm(w, "fusion.layers.0.norm2", x), 4 * c)
    x = x + linear(w, "fusion.layers.0.mlp.fc2", F.gelu(y), c)
    a, v = norm(w, "fusion.norm", x).unflatten(1, (2, t, k)).mean(3).unbind(1)
    y = F.gelu(linear(w, "head.fc1", norm(w, "head.norm", torch.cat([a, v], -1)), c))
    logits = linear(w, "head.fc2", y, labels.shape[-1])
    per_second = F.cross_entropy(logits.flatten(0, 1), labels.argmax(-1).flatten(), reduction="none")
    return {"logits": logits, "loss": (per_second * mask.flatten()).sum() / mask.sum()}


def parsing(w, inputs):
    mask, labels = inputs["mask"], inputs["labels"]
    a, v = inputs["audio"].mean(2), inputs["visual"].mean(2)
    hidden, classes, width = mask == 0, labels.shape[-1], a.shape[-1]

    def hybrid(name, own, other):
        mixed = own + attention(w, f"{name}.self", own, own, 2, hidden) + attention(w, f"{name}.cross", own, other, 2, hidden)
        mixed = norm(w, f"{name}.norm1", mixed)
        small = linear(w, f"{name}.fc2", linear(w, f"{name}.fc1", mixed, width).relu(), width)
        return norm(w, f"{name}.norm2", mixed + small)

    x = torch.stack([hybrid("layers.0.audio", a, v), hybrid("layers.0.visual", v, a)], 1)
    p = linear(w, "classifier", x, classes).sigmoid()
    scores = linear(w, "time_attention", x, classes).masked_fill(hidden[:, None, :, None], -torch.inf)
    over_time = scores.softmax(2)
    over_sense = linear(w, "modality_attention", x, classes).softmax(1)
    audio_clip, visual_clip = (p * over_time).sum(2).unbind(1)
    clip = (p * over_time * over_sense).sum((1, 2))
    loss = F.binary_cross_entropy(clip, labels) + F.binary_cross_entropy(audio_clip, labels)
    loss = loss + F.binary_cross_entropy(visual_clip, 0.9 * labels + 0.1 * 0.5)
    audio, visual = p.unbind(1)
    return {"audio": audio, "visual": visual, "audioClip": audio_clip, "visualClip": visual_clip, "clip": clip, "loss": loss}


def segmentation(w, inputs):
    guidance = torch.cat([inputs["audio"], inputs["visual"]], 1)
    channels, heads, inner, laterals = 8, 2, 16, []
    for i, side in enumerate((4, 2)):
        x, name = inputs[f"map{i}"], f"injection.{i}"
        width = x.shape[-1]
        query = linear(w, f"{name}.query", F.layer_norm(x, (width,)), inner, bias=False)
        key, value = (linear(w, f"{name}.{part}", guidance, inner, bias=False) for part in ("key", "value"))
        out = linear(w, f"{name}.out", attend(query, key, value, heads), width, bias=False)
        x = x + out * w.get_or_make(f"{name}.gate", width)
        narrow = linear(w, f"decoder.lateral.{i}", F.layer_norm(x, (width,)), channels)
        laterals.append(narrow.transpose(1, 2).unflatten(2, (side, side)))

    def conv(name, x, out, kernel=3):
        weight = w.get_or_make(f"{name}.weight", out, x.shape[1], kernel, kernel, scale=(x.shape[1] * kernel**2) ** -0.5)
        return F.conv2d(x, weight, w.get_or_make(f"{name}.bias", out), padding=kernel // 2)

    def twice(x):
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

    def refine(name, x):
        return x + conv(f"{name}.conv2", conv(f"{name}.conv1", x.relu(), channels).relu(), channels)

    x = refine("decoder.refine.1", laterals[1])
    x = refine("decoder.refine.0", laterals[0] + twice(x))
    x = conv("decoder.up1", twice(x), channels // 2).relu()
    x = conv("decoder.up2", twice(x), channels // 2).relu()
    mask = conv("decoder.mask", x, 1, 1)
    truth, p = inputs["masks"], mask.sigmoid()
    overlap = (2 * (p * truth).sum((1, 2, 3)) + 1) / (p.sum((1, 2, 3)) + truth.sum((1, 2, 3)) + 1)
    return {"mask": mask, "loss": F.binary_cross_entropy_with_logits(mask, truth) + (1 - overlap).mean()}


def one_hot(*shape):
    return F.one_hot(torch.randint(shape[-1], shape[:-1]), shape[-1])


def cases():
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    tokens = {"audio": torch.randn(2, 3, 2, 16), "visual": torch.randn(2, 3, 2, 16), "mask": mask}
    yield "lcd", lcd, {"x": 1 + 2 * torch.randn(2, 9, 24), "weight": torch.randn(2, 3, 24)}
    yield "localization", localization, {**tokens, "labels": one_hot(2, 3, 4)}
    yield "parsing", parsing, {**tokens, "labels": torch.tensor([[1, 0, 1, 0], [0, 0, 0, 1]])}
    yield "segmentation", segmentation, {
        "audio": torch.randn(2, 3, 8),
        "visual": torch.randn(2, 3, 8),
        "map0": torch.randn(2, 16, 16),
        "map1": torch.randn(2, 4, 24),
        "masks": torch.randint(2, (2, 1, 16, 16)),
    }


def write(path, tensors):
    """A safetensors file of float32."""
    header, data = {}, b""
    for name in sorted(tensors):
        values = tensors[name].detach().float().contiguous()
        raw = struct.pack(f"<{values.numel()}f", *values.flatten().tolist())
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 64)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    torch.manual_seed(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, module, inputs in cases():
        inputs = {key: value.float().double() for key, value in inputs.items()}
        w = Weights()
        outputs = module(w, inputs)
        gradients = torch.autograd.grad(outputs["loss"], list(w.values()))
        groups = {"in": inputs, "w": w, "out": outputs, "g": dict(zip(w, gradients))}
        write(FOLDER / f"{name}.safetensors", {f"{kind}/{key}": v for kind, group in groups.items() for key, v in group.items()})


main()
