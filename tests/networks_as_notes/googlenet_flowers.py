"""GoogLeNet as a note on five kinds of flowers has it: the paper's 5×5, and other dropout in the auxiliary heads."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class BasicConv2d(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, **kwargs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, **kwargs)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.conv(x))


class Inception(nn.Module):
    def __init__(self, in_channels: int, c1: int, c3r: int, c3: int, c5r: int, c5: int, pool: int) -> None:
        super().__init__()
        self.one = BasicConv2d(in_channels, c1, kernel_size=1)
        self.three = nn.Sequential(
            BasicConv2d(in_channels, c3r, kernel_size=1), BasicConv2d(c3r, c3, kernel_size=3, padding=1)
        )
        self.five = nn.Sequential(
            BasicConv2d(in_channels, c5r, kernel_size=1), BasicConv2d(c5r, c5, kernel_size=5, padding=2)
        )
        self.pool = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1), BasicConv2d(in_channels, pool, kernel_size=1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)


class Head(nn.Module):
    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(kernel_size=5, stride=3)
        self.conv = BasicConv2d(in_channels, 128, kernel_size=1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(x)  # N x 512 x 4 x 4 or N x 528 x 4 x 4
        x = self.conv(x)  # N x 128 x 4 x 4
        x = torch.flatten(x, 1)
        x = F.dropout(x, 0.5, training=self.training)  # N x 2048
        x = F.relu(self.fc1(x), inplace=True)
        x = F.dropout(x, 0.5, training=self.training)  # N x 1024
        return self.fc2(x)


class GoogLeNet(nn.Module):
    def __init__(self, num_classes: int = 5, *, aux_logits: bool = True) -> None:
        super().__init__()
        self.aux_logits = aux_logits
        self.conv1 = BasicConv2d(3, 64, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = BasicConv2d(64, 64, kernel_size=1)
        self.conv3 = BasicConv2d(64, 192, kernel_size=3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception_a3 = Inception(192, 64, 96, 128, 16, 32, 32)
        self.inception_b3 = Inception(256, 128, 128, 192, 32, 96, 64)
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception_a4 = Inception(480, 192, 96, 208, 16, 48, 64)
        self.inception_b4 = Inception(512, 160, 112, 224, 24, 64, 64)
        self.inception_c4 = Inception(512, 128, 128, 256, 24, 64, 64)
        self.inception_d4 = Inception(512, 112, 144, 288, 32, 64, 64)
        self.inception_e4 = Inception(528, 256, 160, 320, 32, 128, 128)
        self.maxpool4 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception_a5 = Inception(832, 256, 160, 320, 32, 128, 128)
        self.inception_b5 = Inception(832, 384, 192, 384, 48, 128, 128)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(0.4)
        self.fc = nn.Linear(1024, num_classes)
        if aux_logits:
            self.head1 = Head(512, num_classes)
            self.head2 = Head(528, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x = self.maxpool1(self.conv1(x))  # N x 64 x 56 x 56
        x = self.conv3(self.conv2(x))  # N x 192 x 56 x 56
        x = self.maxpool2(x)  # N x 192 x 28 x 28
        x = self.inception_b3(self.inception_a3(x))  # N x 480 x 28 x 28
        x = self.maxpool3(x)  # N x 480 x 14 x 14
        x = self.inception_a4(x)  # N x 512 x 14 x 14
        head1 = self.head1(x) if self.training and self.aux_logits else None
        x = self.inception_c4(self.inception_b4(x))
        x = self.inception_d4(x)  # N x 528 x 14 x 14
        head2 = self.head2(x) if self.training and self.aux_logits else None
        x = self.inception_e4(x)  # N x 832 x 14 x 14
        x = self.maxpool4(x)  # N x 832 x 7 x 7
        x = self.inception_b5(self.inception_a5(x))  # N x 1024 x 7 x 7
        x = torch.flatten(self.avgpool(x), 1)
        x = self.fc(self.dropout(x))
        if head1 is not None and head2 is not None:
            return x, head2, head1
        return x
