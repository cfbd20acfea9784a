"""VGG-16 as a note on cats and dogs has it: batch norm everywhere, two classes, ReLU and soft-max in the end."""

from __future__ import annotations

import torch
from torch import nn


def conv_2_block(in_dim: int, out_dim: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_dim, out_dim, kernel_size=3, padding=1),
        nn.BatchNorm2d(out_dim),
        nn.ReLU(),
        nn.Conv2d(out_dim, out_dim, kernel_size=3, padding=1),
        nn.BatchNorm2d(out_dim),
        nn.ReLU(),
        nn.MaxPool2d(2, 2),
    )


def conv_3_block(in_dim: int, out_dim: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_dim, out_dim, kernel_size=3, padding=1),
        nn.BatchNorm2d(out_dim),
        nn.ReLU(),
        nn.Conv2d(out_dim, out_dim, kernel_size=3, padding=1),
        nn.BatchNorm2d(out_dim),
        nn.ReLU(),
        nn.Conv2d(out_dim, out_dim, kernel_size=3, padding=1),
        nn.BatchNorm2d(out_dim),
        nn.ReLU(),
        nn.MaxPool2d(2, 2),
    )


class VGG16(nn.Module):
    def __init__(self, num_classes: int = 2) -> None:
        super().__init__()
        self.block1 = conv_2_block(3, 64)  # 64 x 112 x 112
        self.block2 = conv_2_block(64, 128)
        self.block3 = conv_3_block(128, 256)
        self.block4 = conv_3_block(256, 512)
        self.block5 = conv_3_block(512, 512)
        self.fc1 = nn.Linear(512 * 7 * 7, 4096)
        self.fc2 = nn.Linear(4096, 4096)
        self.fc3 = nn.Linear(4096, num_classes)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(0.5)
        self.softmax = nn.Softmax(dim=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.block1(x)  # 64 x 112 x 112
        x = self.block2(x)  # 128 x 56 x 56
        x = self.block3(x)  # 256 x 28 x 28
        x = self.block4(x)  # 512 x 28 x 28
        x = self.block5(x)  # (512, 7, 7)
        x = x.view(x.size(0), -1)  # 25088
        x = self.dropout(self.relu(self.fc1(x)))
        x = self.dropout(self.relu(self.fc2(x)))
        x = self.relu(self.fc3(x))
        return self.softmax(x)
