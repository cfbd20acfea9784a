"""Rules that read training scripts: each finds its fault, at its line, and is silent where it is mended."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

import archscope

IMPORTS = """
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader
import torchvision
from torchvision import datasets, models, transforms
"""

SOUND = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2))
        self.blocks = nn.ModuleList([nn.Conv2d(8, 8, 3, padding=1) for _ in range(2)])
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(8 * 112 * 112, 10)

    def forward(self, x):
        x = self.features(x)
        for block in self.blocks:
            x = F.relu(block(x))
        x = x.flatten(1)
        return self.fc(self.drop(x))


def accuracy(model, loader, device):
    model.eval()
    right = 0
    with torch.no_grad():
        for x, y in loader:
            right += (model(x.to(device)).argmax(1) == y.to(device)).sum().item()
    return right / len(loader.dataset)


device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
transform = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor()])
train_set, val_set = torch.utils.data.random_split(datasets.CIFAR10("data", transform=transform), [45000, 5000])
test_set = datasets.CIFAR10("data", train=False, transform=transform)
train_loader = DataLoader(train_set, batch_size=64, shuffle=True, drop_last=True)
val_loader = DataLoader(val_set, batch_size=64)
test_loader = DataLoader(test_set, batch_size=64)
model = Net().to(device)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
best = 0
for epoch in range(10):
    model.train()
    total = 0.0
    for x, y in train_loader:
        x, y = x.to(device), y.to(device)
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * x.size(0)
    print(epoch, total / len(train_set))
    val_accuracy = accuracy(model, val_loader, device)
    if val_accuracy > best:
        best = val_accuracy
        torch.save(model.state_dict(), "best.pt")
print(accuracy(model, test_loader, device))
"""


class Case(NamedTuple):
    """A rule, a script in which it finds something, the line that it names, and the script mended."""

    rule: str
    faulty: str
    line: str
    sound: str


LOOP = """
criterion = nn.CrossEntropyLoss()
model = models.resnet18()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
total = 0
for x, y in train_loader:
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
"""

EVALUATION = """
model = models.resnet18()
correct = 0
for x, y in test_loader:
    correct += (model(x).argmax(1) == y).sum().item()
"""

CASES = [
    Case(
        "loss-without-item",
        LOOP + "    total += loss\n",
        "total += loss",
        LOOP + "    total += loss.item()\n",
    ),
    Case(
        "loss-without-item",
        LOOP + "    total = total + loss * x.size(0)\n",
        "total = total + loss * x.size(0)",
        LOOP + "    total = total + float(loss) * x.size(0)\n",
    ),
    Case(
        "loss-without-item",
        "losses = []\n" + LOOP + "    losses.append(loss)\n",
        "losses.append(loss)",
        "losses = []\n" + LOOP + "    losses.append(loss.detach())\n",
    ),
    Case(
        "loss-without-item",
        LOOP.replace("loss = criterion(model(x), y)", "loss = criterion(model(x), y) + 0.3 * criterion(aux(x), y)")
        + "    total += loss\n",
        "total += loss",
        # A sum that backward() is called on needs its graph.
        LOOP.replace("loss.backward()", "total = 0\n    for part in parts:\n        total += criterion(part, y)")
        + "    total.backward()\n",
    ),
    Case(
        "device-flag",
        "use_cuda = args.cuda and torch.cuda.is_available()\nmodel = nn.Linear(1, 1)\nif args.cuda:\n    "
        "model.cuda()\n",
        "if args.cuda:",
        "use_cuda = args.cuda and torch.cuda.is_available()\nmodel = nn.Linear(1, 1)\nif use_cuda:\n    model.cuda()\n",
    ),
    Case(
        "device-flag",
        "device = torch.device('cuda' if torch.cuda.is_available else 'cpu')\n",
        "is_available else",
        "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\n",
    ),
    Case(
        "checkpoint-on-test-set",
        "best = 0\nfor epoch in range(9):\n    test_acc = evaluate(model, test_loader)\n    if test_acc > best:\n"
        "        best = test_acc\n        torch.save(model.state_dict(), 'best.pt')\n",
        "if test_acc > best:",
        "best = 0\nfor epoch in range(9):\n    val_acc = evaluate(model, val_loader)\n    if val_acc > best:\n"
        "        best = val_acc\n        torch.save(model.state_dict(), 'best.pt')\nprint(evaluate(model, "
        "test_loader))\n",
    ),
    Case(
        "checkpoint-on-test-set",
        "valid_set = datasets.MNIST('data', train=False)\nvalid_loader = DataLoader(valid_set)\nbest = 0\n"
        "for epoch in range(9):\n    acc = evaluate(model, valid_loader)\n    if acc > best:\n"
        "        best = acc\n        best_model = copy.deepcopy(model.state_dict())\n",
        "if acc > best:",
        "whole = datasets.MNIST('data')\ntrain_set, valid_set = random_split(whole, [50000, 10000])\n"
        "valid_loader = DataLoader(valid_set)\nbest = 0\n"
        "for epoch in range(9):\n    acc = evaluate(model, valid_loader)\n    if acc > best:\n"
        "        best = acc\n        best_model = copy.deepcopy(model.state_dict())\n",
    ),
    Case(
        "checkpoint-on-test-set",
        "for phase in ['train', 'test']:\n    acc = run(phase)\n    if phase == 'test' and acc > best_acc:\n"
        "        best_acc = acc\n        torch.save(model.state_dict(), 'best.pt')\n",
        "if phase == 'test' and acc > best_acc:",
        "loader = DataLoader(datasets.ImageFolder('test_run/val'))\nfor epoch in range(9):\n    acc = run(loader)\n"
        "    if acc > best_acc:\n        torch.save(model, 'best.pt')\n"
        "    if phase == 'test':\n        torch.save(model, 'a')\n",
    ),
    Case(
        "evaluation-without-eval",
        "with torch.no_grad():" + EVALUATION.replace("\n", "\n    "),
        "for x, y in test_loader:",
        "with torch.no_grad():" + EVALUATION.replace("resnet18()", "resnet18()\nmodel.eval()").replace("\n", "\n    "),
    ),
    Case(
        "evaluation-without-eval",
        "def test(model, loader):\n    for x, y in loader:\n        model(x)\n\nmodel.train()\ntest(model, loader)\n",
        "for x, y in loader:",
        # Whoever calls it has switched the mode.
        "def test(model, loader):\n    for x, y in loader:\n        model(x)\n\nmodel.eval()\ntest(model, loader)\n",
    ),
    Case(
        "evaluation-with-gradients",
        "model.eval()" + EVALUATION,
        "for x, y in test_loader:",
        "@torch.inference_mode()\ndef test(model, test_loader):\n    model.eval()" + EVALUATION.replace("\n", "\n    "),
    ),
    Case(
        "unused-test-set",
        "test_loader = DataLoader(datasets.MNIST('data', train=False))\ntrain_loader = DataLoader(train)\n" + LOOP,
        "test_loader = ",
        "test_loader = DataLoader(datasets.MNIST('data', train=False))\n" + LOOP + "print(score(model, test_loader))\n",
    ),
    Case(
        "unused-test-set",
        "train_loader, test_loader = get_loaders()\n" + LOOP,
        "train_loader, test_loader",
        "train_loader, test_loader = get_loaders()\n" + LOOP + "for x, y in test_loader:\n    print(x)\n",
    ),
    Case(
        "mean-divided-again",
        LOOP + "    total += loss.item()\nprint(total / len(train_loader.dataset))\n",
        "total / len(train_loader.dataset)",
        LOOP + "    total += loss.item()\nprint(total / len(train_loader))\n",
    ),
    Case(
        "mean-divided-again",
        "seen = 0\n" + LOOP + "    total += float(loss)\n    seen += y.size(0)\nprint(total / seen)\n",
        "total / seen",
        "seen = 0\n" + LOOP + "    total += loss.item() * y.size(0)\n    seen += y.size(0)\nprint(total / seen)\n",
    ),
    Case(
        "mean-divided-again",
        LOOP + "    total += loss.item()\nprint(total / len(train_set))\n",
        "total / len(train_set)",
        LOOP.replace("nn.CrossEntropyLoss()", "nn.CrossEntropyLoss(reduction='sum')")
        + "    total += loss.item()\nprint(total / len(train_set))\n",
    ),
    Case(
        "gone-from-torchvision",
        "from torchvision.models.utils import load_state_dict_from_url\n",
        "from torchvision.models.utils",
        "from torch.hub import load_state_dict_from_url\nfrom torchvision.models import vgg16, ResNet18_Weights\n"
        "from torchvision.transforms import functional, v2\nimport torchvision.transforms.functional as TF\n",
    ),
    Case(
        "gone-from-torchvision",
        "t = transforms.Compose([transforms.Scale(256), transforms.RandomSizedCrop(224)])\n",
        "transforms.Scale(256)",
        "t = transforms.Compose([transforms.Resize(256), transforms.RandomResizedCrop(224), transforms.ToTensor()])\n"
        "m = torchvision.models.segmentation.fcn_resnet50(weights=None)\nd = datasets.ImageFolder('x').class_to_idx\n",
    ),
    Case(
        "gone-from-torchvision",
        "model = models.vgg16(pretrained=True)\n",
        "pretrained=True",
        "model = models.vgg16(weights='DEFAULT')\n",
    ),
    Case(
        "raw-pixels",
        "import cv2\nimage = torch.from_numpy(cv2.imread('cat.png')).permute(2, 0, 1).float()\n",
        "cv2.imread",
        "import cv2\nimage = torch.from_numpy(cv2.imread('cat.png')).permute(2, 0, 1).float() / 255\n",
    ),
    Case(
        "raw-pixels",
        "train = datasets.MNIST('data')\nx = train.data.float()\n",
        "train.data",
        "train = datasets.MNIST('data')\nx = train.data.float()\nx /= 255\n",
    ),
    Case(
        "softmax-before-loss",
        LOOP.replace("criterion(model(x), y)", "criterion(F.softmax(model(x), dim=1), y)"),
        "F.softmax(model(x), dim=1)",
        LOOP + "probabilities = F.softmax(model(x), dim=1)\n",
    ),
    Case(
        "softmax-before-loss",
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.head = nn.Sequential(nn.Linear(8, 2), nn.ReLU(), nn.Softmax(dim=1))\n"
        "    def forward(self, x):\n        x = self.head(x)\n        return x\n" + LOOP,
        "nn.Softmax(dim=1)",
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.head = nn.Sequential(nn.Softmax(dim=1), nn.Linear(8, 2))\n"
        "    def forward(self, x):\n        x = self.head(x)\n        return x\n" + LOOP,
    ),
    Case(
        "activation-on-logits",
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(8, "
        "2)\n"
        "    def forward(self, x):\n        x = F.relu(self.fc(x))\n        return x\n" + LOOP,
        "x = F.relu(self.fc(x))",
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(8, "
        "2)\n"
        "    def forward(self, x):\n        return self.fc(F.relu(x))\n" + LOOP,
    ),
    Case(
        "nll-without-log-softmax",
        "class Net(nn.Module):\n    def forward(self, x):\n        return F.softmax(x, dim=1)\n"
        "loss = F.nll_loss(Net()(x), y)\n",
        "F.nll_loss",
        "class Net(nn.Module):\n    def forward(self, x):\n        return F.log_softmax(x, dim=1)\n"
        "loss = F.nll_loss(Net()(x), y)\n",
    ),
    Case("softmax-dim", "p = F.softmax(x, dim=0)\n", "F.softmax(x, dim=0)", "p = F.softmax(x, dim=1)\n"),
    Case("softmax-dim", "layer = nn.Softmax()\n", "nn.Softmax()", "layer = nn.Softmax(dim=-1)\np = x.softmax(1)\n"),
    Case(
        "unregistered-layers",
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.layers = []\n"
        "        for _ in range(3):\n            self.layers.append(nn.Linear(8, 8))\n",
        "nn.Linear(8, 8)",
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        layers = []\n"
        "        for _ in range(3):\n            layers.append(nn.Linear(8, 8))\n        self.layers = "
        "nn.Sequential(*layers)\n"
        "        self.sizes = [8, 8]\n",
    ),
    Case(
        "unregistered-layers",
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.heads = {'a': nn.Linear(8, 2)}\n",
        "{'a': nn.Linear(8, 2)}",
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.layers = "
        "[nn.Linear(8, 2)]\n"
        "        self.net = nn.Sequential(*self.layers)\n",
    ),
    Case(
        "input-size",
        "t = transforms.Compose([transforms.Resize((244, 244)), transforms.ToTensor()])\n",
        "transforms.Resize((244, 244))",
        "t = transforms.Compose([transforms.Resize((224, 224)), transforms.ToTensor()])\n",
    ),
    Case(
        "gradients-not-cleared",
        LOOP.replace("    optimizer.zero_grad()\n", ""),
        "optimizer.step()",
        LOOP.replace("optimizer.zero_grad()", "model.zero_grad(set_to_none=True)"),
    ),
    Case(
        "heads-order",
        "class GoogLeNet(nn.Module):\n    def forward(self, x):\n        return aux1, aux2, x\n"
        "output, aux1, aux2 = model(x)\n",
        "output, aux1, aux2 = model(x)",
        "class GoogLeNet(nn.Module):\n    def forward(self, x):\n        return x, aux2, aux1\n"
        "output, aux_2, aux_1 = model(x)\n",
    ),
    Case(
        "heads-order",
        "model = models.googlenet()\nout, aux1, aux2 = model(x)\n",
        "out, aux1, aux2 = model(x)",
        "model = models.googlenet()\nout, aux2, aux1 = model(x)\n",
    ),
    Case(
        "outputs-unpacked",
        LOOP.replace("resnet18()", "googlenet(num_classes=5)"),
        "loss = criterion(model(x), y)",
        LOOP.replace("resnet18()", "googlenet(num_classes=5, aux_logits=False)"),
    ),
]

NAMES = [f"{case.rule}-{n}" for n, case in enumerate(CASES)]


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_rule_finds_its_fault_at_its_line(case: Case, here: Path) -> None:
    text = IMPORTS + case.faulty
    (here / "train.py").write_text(text)
    found = archscope.lint("train.py", select=[case.rule])
    assert found
    first = found[0]
    assert case.line in text.split("\n")[first.span.line - 1]
    assert first.place == f"train.py:{first.span.line}"
    assert (first.id, first.subject) == (case.rule, "train.py")
    assert all((first.what, first.why, first.mend, first.source))


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_rule_is_silent_where_the_fault_is_mended(case: Case, here: Path) -> None:
    (here / "train.py").write_text(IMPORTS + case.sound)
    assert archscope.lint("train.py", select=[case.rule]) == ()


def test_nothing_is_found_in_a_sound_script(here: Path) -> None:
    (here / "train.py").write_text(IMPORTS + SOUND)
    assert archscope.lint("train.py") == ()


def test_every_script_rule_is_silent_on_an_empty_file(here: Path) -> None:
    (here / "train.py").write_text("")
    assert archscope.lint("train.py") == ()
