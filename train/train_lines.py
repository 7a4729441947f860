#!/usr/bin/python3
"""Trains the network of src/reader/ocr/ktpr_line_net.h on drawn lines.

  train_lines.py train STATE MINUTES FONTS     starts from STATE or a new one
  train_lines.py write STATE > FILE.c          writes the weights as C
  train_lines.py read STATE FILE.c FONTS       a STATE from weights as C, to
                                               train them further
  train_lines.py mean OLD NEW SHARE STATE      a STATE to write, between OLD and
                                               one that was trained from it

FONTS lists typefaces, "WEIGHT FILE" a line; those of weight 0 are held out
from training and used for measuring.  Needs Debian's python3-torch and the
library build/line_drawer.so ("make line-weights" builds it).
"""

import ctypes
import math
import os
import queue
import random
import re
import sys
import threading
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from line_texts import Texts  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLASSES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,/-'():&+"
HEIGHT = 24
ROOM = 1000
ALPHABET = [chr(c) for c in range(ord("#"), 127) if chr(c) not in "?\\"]
RATES = 2e-3, 7e-4  # greatest learning rates: of new weights, and of known
BATCH = 32
POOL = 24  # batches drawn at once and sorted by width
# half precision where the processor has it: twice as fast
HALF = "avx512_bf16" in open("/proc/cpuinfo", encoding="utf-8").read()


class Drawer:
    def __init__(self, fonts, held):
        self.lib = ctypes.CDLL(os.path.join(ROOT, "build/line_drawer.so"))
        self.lib.draw_line.argtypes = [
            ctypes.c_int, ctypes.c_char_p, ctypes.c_ulonglong, ctypes.c_double,
            ctypes.c_void_p, ctypes.c_int]
        self.fonts = []
        self.weights = []
        for line in open(fonts, encoding="utf-8"):
            line = line.split("#")[0].strip()
            if not line:
                continue
            weight, name = line.split(None, 1)
            if (float(weight) == 0) != held:
                continue
            number = self.lib.draw_font(name.encode())
            if number < 0:
                print("left out: " + name, file=sys.stderr)
                continue
            self.fonts.append(number)
            self.weights.append(float(weight) or 1)
        self.out = torch.empty(HEIGHT * ROOM)

    def draw(self, text, spoil):
        font = random.choices(self.fonts, self.weights)[0]
        w = self.lib.draw_line(font, text.encode(), random.getrandbits(60),
                               spoil, self.out.data_ptr(), ROOM)
        if w < 0:
            return None
        return self.out[:HEIGHT * w].view(HEIGHT, w).clone()


def samples(drawer, texts, n, spoil):
    found = []
    while len(found) < n:
        text = "" if random.random() < .04 else texts.make()
        label = [CLASSES.find(c) + 1 for c in text.upper()]
        if min(label, default=1) < 1 or len(label) > 46:
            continue
        image = drawer.draw(text, spoil())
        if image is None:
            continue
        # a frame each, and one more between equal ones
        need = len(label) + sum(a == b for a, b in zip(label, label[1:]))
        if image.shape[1] // 4 >= need:
            found.append((image, label))
    return found


def batches(found):
    found.sort(key=lambda s: s[0].shape[1])
    made = []
    for i in range(0, len(found) - BATCH + 1, BATCH):
        part = found[i:i + BATCH]
        width = (max(s[0].shape[1] for s in part) + 3) // 4 * 4
        x = torch.zeros(BATCH, 1, HEIGHT, width)
        for k, s in enumerate(part):
            x[k, 0, :, :s[0].shape[1]] = s[0]
        lengths = torch.tensor([s[0].shape[1] // 4 for s in part])
        labels = torch.tensor([c for s in part for c in s[1]])
        counts = torch.tensor([len(s[1]) for s in part])
        made.append((x, lengths, labels, counts))
    random.shuffle(made)
    return made


class Net(nn.Module):
    WIDE = 96
    REACH = (1, 2, 4, 8)

    def __init__(self):
        super().__init__()
        n = self.WIDE
        self.convs = nn.ModuleList([
            nn.Conv2d(1, 16, 3, padding=1, bias=False),
            nn.Conv2d(16, 32, 3, padding=1, bias=False),
            nn.Conv2d(32, 64, 3, padding=1, bias=False),
            nn.Conv2d(64, n, 3, padding=(0, 1), bias=False)])
        self.norms = nn.ModuleList([nn.BatchNorm2d(c) for c in (16, 32, 64, n)])
        self.rows = nn.ModuleList([
            nn.Conv1d(n, n, 5, padding=2 * d, dilation=d, bias=False)
            for d in self.REACH])
        self.row_norms = nn.ModuleList([nn.BatchNorm1d(n) for _ in self.REACH])
        self.classes = nn.Conv1d(n, len(CLASSES) + 1, 1)
        for norm in self.row_norms:
            nn.init.constant_(norm.weight, .5)

    def forward(self, x):
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            x = F.relu(norm(conv(x)))
            if i < 2:
                x = F.max_pool2d(x, 2)
            elif i == 2:
                x = F.max_pool2d(x, (2, 1))
        x = x.squeeze(2)
        for row, norm in zip(self.rows, self.row_norms):
            x = x + F.relu(norm(row(x)))
        return self.classes(x)


def decode(row):
    text, last = "", 0
    for k in row:
        if k != last and k > 0:
            text += CLASSES[k - 1]
        last = k
    return text


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, ca in enumerate(a):
        last, row[0] = row[0], i + 1
        for j, cb in enumerate(b):
            last, row[j + 1] = row[j + 1], min(last + (ca != cb), row[j] + 1,
                                               row[j + 1] + 1)
    return row[-1]


def measure(net, made):
    """Correct lines and character errors, in percent."""
    net.eval()
    right = lines = edits = characters = 0
    with torch.no_grad():
        for x, lengths, labels, counts in made:
            best = net(x).argmax(1)
            at = 0
            for k in range(x.shape[0]):
                truth = "".join(CLASSES[c - 1]
                                for c in labels[at:at + counts[k]])
                at += int(counts[k])
                got = decode(best[k, :lengths[k]].tolist())
                lines += 1
                right += got == truth
                edits += distance(got, truth)
                characters += len(truth)
    net.train()
    return 100 * right / lines, 100 * edits / characters


def held_back(fonts, texts, n):
    """Lines with light, medium and heavy damage, the same in each run."""
    drawer = Drawer(fonts, True)
    random.seed(5)
    return [batches(samples(drawer, texts, n, lambda: spoil))
            for spoil in (.2, .6, 1.)]


def report(net, held, step):
    print("  %d: held out, lines correct/character errors: %s"
          % (step, "  ".join("%.1f/%.2f" % measure(net, made)
                             for made in held)), flush=True)


def rate(at, top):
    """Learning rate: a warm-up, then a cosine decay to nearly zero."""
    if at < .01:
        return top * at / .01
    return top * (.01 + .99 * .5 * (1 + math.cos(math.pi * (at - .01) / .99)))


def draw_ahead(drawer, texts, drawn):
    while True:
        drawn.put(batches(samples(drawer, texts, BATCH * POOL,
                                  lambda: min(1, .15 + random.random() * .95))))


def train(state, minutes, fonts):
    torch.set_num_threads(1)
    texts = Texts(os.path.join(ROOT, "data/wilayah.tsv"))
    drawer = Drawer(fonts, False)
    held = held_back(fonts, texts, 640)
    net = Net().to(memory_format=torch.channels_last)
    print("%d weights, %d typefaces"
          % (sum(p.numel() for p in net.parameters()), len(drawer.fonts)),
          flush=True)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-3)
    step, spent, top = 0, 0., RATES[0]
    if os.path.exists(state):
        kept = torch.load(state)
        net.load_state_dict(kept["net"])
        if "optimizer" in kept:
            optimizer.load_state_dict(kept["optimizer"])
        step, spent = kept["step"], kept["spent"]
        top = kept.get("top", top)
        report(net, held, step)
    random.seed(step + 11)
    loss_sum, reported, saved = 0., spent, time.time()
    begin = time.time() - spent
    drawn = queue.Queue(1)
    threading.Thread(target=draw_ahead, args=(drawer, texts, drawn),
                     daemon=True).start()
    while True:
        for x, lengths, labels, counts in drawn.get():
            spent = time.time() - begin
            if spent > 60 * minutes:
                break
            for group in optimizer.param_groups:
                group["lr"] = rate(spent / 60 / minutes, top)
            x = x.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=HALF):
                logits = net(x)
            logits = F.log_softmax(logits.float(), 1).permute(2, 0, 1)
            loss = F.ctc_loss(logits, labels, lengths, counts,
                              reduction="none", zero_infinity=True)
            loss = (loss / counts.clamp(min=1)).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5.)
            optimizer.step()
            step += 1
            loss_sum += float(loss)
            if step % 200 == 0:
                print("%d: %.1f min, loss %.3f" % (step, spent / 60,
                                                   loss_sum / 200), flush=True)
                loss_sum = 0.
        if time.time() - saved > 120 or spent > 60 * minutes:
            saved = time.time()
            torch.save({"net": net.state_dict(), "spent": spent, "step": step,
                        "top": top, "optimizer": optimizer.state_dict()},
                       state + ".new")
            os.rename(state + ".new", state)
            if spent - reported > 360 or spent > 60 * minutes:
                reported = spent
                report(net, held, step)
        if spent > 60 * minutes:
            break


def folded(conv, norm):
    """Weights and biases of a layer, with its normalization folded in."""
    g = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    w = conv.weight * g.view(-1, *[1] * (conv.weight.dim() - 1))
    return w, norm.bias - norm.running_mean * g


def layers(net):
    """By layer: runs, their length, outputs, distance, weights, biases."""
    made = []
    for conv, norm in zip(net.convs, net.norms):
        w, b = folded(conv, norm)
        made.append((3, 3 * w.shape[1], w.shape[0], 0,
                     w.permute(2, 3, 1, 0), b))
    for conv, norm, reach in zip(net.rows, net.row_norms, net.REACH):
        w, b = folded(conv, norm)
        made.append((5, w.shape[1], w.shape[0], reach, w.permute(2, 1, 0), b))
    w = net.classes.weight
    made.append((1, w.shape[1], w.shape[0], 1, w.permute(2, 1, 0),
                 net.classes.bias))
    return made


def floats(name, values):
    print("\nconst float %s[] = {" % name)
    for i in range(0, len(values), 5):
        print("    " + " ".join("%.6gf," % v if "." in "%.6g" % v
                                or "e" in "%.6g" % v else "%.1ff," % v
                                for v in values[i:i + 5]))
    print("};")


def write(state):
    """Writes the weights in the form of src/reader/ocr/ktpr_line_net.c."""
    net = Net()
    net.load_state_dict(torch.load(state)["net"])
    made = layers(net.eval())
    text, steps, biases = [], [], []
    print("/* Made by train/train_lines.py; not to be edited. */\n\n"
          "#include \"ktpr_line_weights.h\"\n\n\n/* clang-format off */\n\n"
          "const ktpr_line_layer_t ktpr_line_weights_layers[KTPR_LINE_LAYERS] = {")
    for runs, length, out, apart, w, b in made:
        print("    {%d, %d, %d, %d}," % (runs, length, out, apart))
        w = w.detach().reshape(-1, out)
        step = w.abs().max(0).values.clamp(min=1e-9) / 44
        for v in (w / step).round().int().reshape(-1).tolist():
            text.append(ALPHABET[v + 44])
        steps += step.tolist()
        biases += b.tolist()
    print("};\n\nconst char ktpr_line_weights[] =")
    text = "".join(text)
    for i in range(0, len(text), 75):
        print("\"%s\"" % text[i:i + 75] + (";" if i + 75 >= len(text) else ""))
    floats("ktpr_line_weights_steps", steps)
    floats("ktpr_line_weights_biases", biases)
    print("\n/* clang-format on */")


def mean(old, new, share, state):
    """Writes a state with so much of the new one, the rest of the old one.

    What is learned late on lines of a new kind costs less on the others.
    """
    nets = [Net().eval() for _ in range(3)]
    for net, name in zip(nets, (old, new)):
        net.load_state_dict(torch.load(name)["net"])
    with torch.no_grad():
        for pairs in zip(*([*zip(net.convs, net.norms),
                            *zip(net.rows, net.row_norms)] for net in nets)):
            (w, b), (new_w, new_b) = (folded(*pair) for pair in pairs[:2])
            conv, norm = pairs[2]
            conv.weight.copy_(w.lerp(new_w, share))
            norm.bias.copy_(b.lerp(new_b, share))
            norm.weight.fill_(math.sqrt(1 + norm.eps))
        for a, b, c in zip(*(net.classes.parameters() for net in nets)):
            c.copy_(a.lerp(b, share))
    torch.save({"net": nets[2].state_dict()}, state)


def numbers(source, name):
    body = source.split(name + "[] = {")[1].split("}")[0]
    return torch.tensor([float(v.strip().rstrip("f"))
                         for v in body.split(",") if v.strip()])


def read(state, file, fonts):
    """Writes a state whose network computes what the weights in C do."""
    source = open(file, encoding="ascii").read()
    values = torch.tensor([ALPHABET.index(c) - 44. for c in "".join(
        re.findall('^"(.*)"', source.split("ktpr_line_weights[] =")[1],
                   re.M))])
    steps = numbers(source, "ktpr_line_weights_steps")
    biases = numbers(source, "ktpr_line_weights_biases")
    net = Net().eval()
    convs = [*net.convs, *net.rows, net.classes]
    norms = [*net.norms, *net.row_norms]
    seen = [[] for _ in norms]
    at = channel = 0
    with torch.no_grad():
        for i, conv in enumerate(convs):
            out, inner, *size = conv.weight.shape
            n = conv.weight.numel()
            w = values[at:at + n].view(*size, inner, out)
            w = w * steps[channel:channel + out]
            conv.weight.copy_(w.permute(-1, -2, *range(len(size))))
            b = biases[channel:channel + out]
            if conv is net.classes:
                conv.bias.copy_(b)
            else:
                norms[i].bias.copy_(b)
                norms[i].weight.fill_(math.sqrt(1 + norms[i].eps))
                norms[i].register_forward_pre_hook(
                    lambda _, x, i=i: seen[i].append(
                        x[0].transpose(0, 1).flatten(1)))
            at += n
            channel += out
        # normalize as the values of drawn lines are distributed
        drawer = Drawer(fonts, False)
        texts = Texts(os.path.join(ROOT, "data/wilayah.tsv"))
        random.seed(3)
        for x, _, _, _ in batches(samples(drawer, texts, 8 * BATCH,
                                          lambda: .15 + .85 * random.random())):
            net(x)
        for norm, parts in zip(norms, seen):
            every = torch.cat(parts, 1)
            mean, var = every.mean(1), every.var(1)
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(var)
            norm.weight.copy_(torch.sqrt(var + norm.eps))
            norm.bias.add_(mean)
    torch.save({"net": net.state_dict(), "spent": 0., "step": 0,
                "top": RATES[1]}, state)


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "write":
        write(sys.argv[2])
    elif len(sys.argv) == 6 and sys.argv[1] == "mean":
        mean(sys.argv[2], sys.argv[3], float(sys.argv[4]), sys.argv[5])
    elif len(sys.argv) == 5 and sys.argv[1] == "read":
        read(*sys.argv[2:])
    elif len(sys.argv) == 5 and sys.argv[1] == "train":
        train(sys.argv[2], float(sys.argv[3]), sys.argv[4])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
