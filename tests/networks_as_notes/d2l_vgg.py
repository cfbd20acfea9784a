"""VGG-11 as Dive into Deep Learning has it, on Fashion-MNIST, with a quarter of the channels."""

from __future__ import annotations

import torch
from torch import nn

RATIO = 4
CONV_ARCH = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))


def vgg_block(num_convs: int, in_channels: int, out_channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(num_convs):
        layers.extend((nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1), nn.ReLU()))
        in_channels = out_channels
    layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.Sequential(*layers)


def vgg(conv_arch: tuple[tuple[int, int], ...]) -> nn.Sequential:
    blocks: list[nn.Module] = []
    in_channels = out_channels = 1
    for num_convs, out_channels in conv_arch:
        blocks.append(vgg_block(num_convs, in_channels, out_channels))
        in_channels = out_channels
    return nn.Sequential(
        *blocks, nn.Flatten(),
        nn.Linear(out_channels * 7 * 7, 4096), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(4096, 10),
    )  # fmt: skip


def small_vgg() -> nn.Sequential:
    return vgg(tuple((num_convs, channels // RATIO) for num_convs, channels in CONV_ARCH))


def example() -> torch.Tensor:
    return torch.zeros(1, 1, 224, 224)
