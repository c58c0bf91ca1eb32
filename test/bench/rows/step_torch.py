"""
PyTorch's side of `npm run bench -- --only training`: the same training steps, written again in PyTorch's own way (its linear layers, attention in the usual form, AdamW).
Reads one line of JSON with the sizes, answers "ready" with versions, then times a step of one case for every line that names it; one line of JSON each.
"""
import json
import os
import re
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


class Lcd(nn.Module):
    """One tap to K tokens of its width: preservation and task path, with keys and values of every token, or with the projections absorbed by the queries."""

    def __init__(self, width, tokens, heads, form):
        super().__init__()
        inner = max(16, 8 * -(-width // 64))
        self.heads = heads
        self.form = form
        self.meta = nn.Parameter(torch.randn(tokens, width))
        self.query = nn.Linear(width, inner, bias=False)
        self.key = nn.Linear(width, inner, bias=False)
        self.value = nn.Linear(width, inner, bias=False)
        self.out = nn.Linear(inner, width, bias=False)
        self.gate = nn.Parameter(torch.zeros(width))
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        width = x.shape[-1]
        kept = torch.softmax(self.meta @ x.transpose(1, 2) * width ** -0.5, -1) @ x
        normed = F.layer_norm(x, (width,))
        split = lambda y: y.unflatten(-1, (self.heads, -1)).transpose(-3, -2)
        q = split(self.query(self.meta))
        q = q * q.shape[-1] ** -0.5
        if self.form == "plain":
            k, v = split(self.key(normed)), split(self.value(normed))
            mixed = torch.softmax(q @ k.transpose(-1, -2), -1) @ v
        else:
            by_head = lambda weight: weight.unflatten(0, (self.heads, -1))
            rows = (q @ by_head(self.key.weight)).flatten(0, 1)
            context = torch.softmax(rows @ normed.transpose(1, 2), -1) @ normed
            mixed = context.unflatten(1, (self.heads, -1)) @ by_head(self.value.weight).transpose(1, 2)
        return self.norm(kept + self.gate * self.out(mixed.transpose(1, 2).flatten(2)))


class Distill(nn.Module):
    def __init__(self, taps, size):
        super().__init__()
        width = size["width"]
        self.lcd = nn.ModuleList(Lcd(tap["width"], size["tokens"], size["heads"], size["form"]) for tap in taps)
        self.stages = nn.ModuleDict({str(tap["width"]): nn.Linear(tap["width"], width) for tap in taps})

    def forward(self, xs):
        return sum(self.stages[str(x.shape[-1])](lcd(x)) for lcd, x in zip(self.lcd, xs)) / len(xs)


class Localization(nn.Module):
    def __init__(self, size):
        super().__init__()
        width, heads = size["width"], size["heads"]
        self.audio = Distill(size["audio"], size)
        self.visual = Distill(size["visual"], size)
        self.time = nn.Parameter(0.02 * torch.randn(size["seconds"], 1, width))
        self.sense = nn.Parameter(0.02 * torch.randn(2, 1, 1, width))
        layer = lambda: nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout=0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.ModuleList(layer() for _ in range(size["layers"]))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Sequential(nn.LayerNorm(2 * width), nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, size["classes"] + 1))
        self.size = size

    def forward(self, audio, visual):
        batch, seconds = self.size["batch"], self.size["seconds"]
        tokens = torch.stack([self.audio(audio), self.visual(visual)]).unflatten(1, (batch, seconds)).transpose(0, 1)
        x = (tokens + self.time + self.sense).flatten(1, 3)
        for layer in self.layers:
            x = layer(x)
        x = self.norm(x).view(tokens.shape).mean(3)
        return self.head(torch.cat([x[:, 0], x[:, 1]], -1))


class Inject(nn.Module):
    """F + gate * W_o attention(W_q n(F), guidance)."""

    def __init__(self, width, common, heads):
        super().__init__()
        inner = max(16, 8 * -(-width // 64))
        self.heads = heads
        self.query = nn.Linear(width, inner, bias=False)
        self.key = nn.Linear(common, inner, bias=False)
        self.value = nn.Linear(common, inner, bias=False)
        self.out = nn.Linear(inner, width, bias=False)
        self.gate = nn.Parameter(torch.zeros(width))

    def forward(self, x, guidance):
        split = lambda y: y.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        q, k, v = split(self.query(F.layer_norm(x, x.shape[-1:]))), split(self.key(guidance)), split(self.value(guidance))
        mixed = torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5, -1) @ v
        return x + self.gate * self.out(mixed.transpose(1, 2).flatten(2))


class Refine(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class Segmentation(nn.Module):
    def __init__(self, size):
        super().__init__()
        width, heads, channels = size["width"], size["heads"], size["channels"]
        self.audio = Distill(size["audio"][-1:], size)
        self.visual = Distill(size["visual"][-1:], size)
        self.inject = nn.ModuleList(Inject(m["width"], width, heads) for m in size["maps"])
        self.lateral = nn.ModuleList(nn.Linear(m["width"], channels) for m in size["maps"])
        self.refine = nn.ModuleList(Refine(channels) for _ in size["maps"])
        self.up1 = nn.Conv2d(channels, channels // 2, 3, padding=1)
        self.up2 = nn.Conv2d(channels // 2, channels // 2, 3, padding=1)
        self.mask = nn.Conv2d(channels // 2, 1, 1)
        self.size = size

    def forward(self, audio, visual, maps):
        guidance = torch.cat([self.audio(audio), self.visual(visual)], 1)
        up = lambda y: F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)
        x = None
        for i in reversed(range(len(maps))):
            guided = self.inject[i](maps[i], guidance)
            flat = self.lateral[i](F.layer_norm(guided, guided.shape[-1:]))
            lateral = flat.transpose(1, 2).unflatten(2, self.size["maps"][i]["grid"])
            x = self.refine[i](lateral if x is None else lateral + up(x))
        return self.mask(F.relu(self.up2(up(F.relu(self.up1(up(x)))))))


def localization(size):
    frames = size["batch"] * size["seconds"]
    taps = {sense: [torch.randn(frames, tap["tokens"], tap["width"]) for tap in size[sense]] for sense in ("audio", "visual")}
    labels = torch.randint(size["classes"] + 1, (size["batch"] * size["seconds"],))
    model = Localization(size)
    return model, lambda: F.cross_entropy(model(**taps).flatten(0, 1), labels)


def segmentation(size):
    frames = size["batch"] * size["seconds"]
    read = lambda tap: torch.randn(frames, tap["tokens"], tap["width"])
    inputs = {"audio": [read(size["audio"][-1])], "visual": [read(size["visual"][-1])], "maps": [read(tap) for tap in size["maps"]]}
    rows, columns = size["maps"][0]["grid"]
    masks = (torch.rand(frames, 1, 4 * rows, 4 * columns) > 0.5).float()
    model = Segmentation(size)

    def loss():
        logits = model(**inputs)
        p = torch.sigmoid(logits)
        overlap = 2 * (p * masks).sum((1, 2, 3)) + 1
        area = p.sum((1, 2, 3)) + masks.sum((1, 2, 3)) + 1
        return F.binary_cross_entropy_with_logits(logits, masks) + (1 - overlap / area).mean()

    return model, loss


def main():
    sizes = json.loads(sys.stdin.readline())
    torch.set_num_threads(sizes["threads"])
    # Whole float32 in convolutions too, as the graphs of the other side have it.
    torch.backends.cudnn.allow_tf32 = False
    device = sizes["device"]
    if device == "cuda":
        torch.set_default_device(device)
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    torch.manual_seed(1)
    cases = {}
    for name, size in sizes["cases"].items():
        model, loss = {"localize": localization, "segment": segmentation}[size["task"]](size)
        cases[name] = (model, loss, torch.optim.AdamW(model.parameters(), lr=1e-3))
    parameters = {name: sum(p.numel() for p in model.parameters()) for name, (model, _, _) in cases.items()}
    by = torch.cuda.get_device_name() if device == "cuda" else blas()
    say({"torch": torch.__version__, "python": sys.version.split()[0], "by": by, "parameters": parameters})
    for line in sys.stdin:
        model, loss, optimizer = cases[line.strip()]
        wait()
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        wait()
        say({"ms": 1000 * (time.perf_counter() - start), "loss": float(value.detach())})


def blas():
    """The library that multiplies matrices: Debian's PyTorch takes whichever is installed, and the reference one is many times slower than others."""
    torch.ones(8, 8) @ torch.ones(8, 8)
    try:
        loaded = {os.path.basename(line.split()[-1]) for line in open("/proc/self/maps") if "/" in line}
    except OSError:
        return "unknown"
    found = sorted(name for name in loaded if re.search(r"mkl_core|openblas|blis|libblas", name))
    return ", ".join(found) or ("mkl" if torch.backends.mkl.is_available() else "unknown")


def say(message):
    print(json.dumps(message), flush=True)


main()
