"""VGG from tuples of counts, as a note has it: no biases, batch norm in the head too, and a vgg_13 that is a vgg_11."""

from __future__ import annotations

import torch
from torch import nn

CHANNELS = [64, 128, 256, 512, 512]


class ConvBlock(nn.Module):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding="same", bias=False)
        self.bn = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.bn(self.conv(x)))


class VGG(nn.Module):
    def __init__(self, layers: list[int], num_classes: int = 1000) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        in_channels = 3
        for count, out_channels in zip(layers, CHANNELS, strict=True):
            for _ in range(count):
                blocks.append(ConvBlock(in_channels, out_channels))
                in_channels = out_channels
            blocks.append(nn.MaxPool2d(kernel_size=2, stride=2))
        self.backbone = nn.Sequential(*blocks)
        self.head = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.BatchNorm1d(4096),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.BatchNorm1d(4096),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.flatten(self.backbone(x), 1))


def vgg_11(num_classes: int = 1000) -> VGG:
    return VGG([1, 1, 2, 2, 2], num_classes)


def vgg_13(num_classes: int = 1000) -> VGG:
    return VGG([1, 1, 2, 2, 2], num_classes)


def vgg_13_mended(num_classes: int = 1000) -> VGG:
    return VGG([2, 2, 2, 2, 2], num_classes)


def vgg_16(num_classes: int = 1000) -> VGG:
    return VGG([2, 2, 3, 3, 3], num_classes)
