"""The networks of the original scripts, with their state-dict keys and parameter counts.

Depthwise-separable blocks 32-64-128-256(-512), global average pooling, a two-layer head. Files trained by those
scripts load unchanged; they expect inputs 0-1 without further normalisation, blurred as the original prepares them.

Initialisation, as the original's: convolutions Kaiming normal (fan out), BatchNorm 1 and 0, linear layers
N(0, 0.01) with bias 0.
"""

from typing import ClassVar

from torch import Tensor, nn


def separable(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """Depthwise 3x3 with `stride`, then pointwise, each with BatchNorm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, padding=1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.ReLU(inplace=True),
        Pointwise(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Pointwise(nn.Conv2d):
    """A 1x1 convolution that keeps to channels_last while it learns, after a map of one channel too.

    Such a map looks the same in both memory layouts; PyTorch then goes on in the other one, and a step of v2.1 on a
    CPU takes 1.26 times as long.
    """

    def forward(self, features: Tensor) -> Tensor:
        if self.training and self.in_channels == 1:
            features = features.squeeze(1).unsqueeze(-1).permute(0, 3, 1, 2)  # no copy: only its strides change
        return super().forward(features)


class ChannelAttention(nn.Module):
    """Squeeze and excitation without biases (Hu et al. 2018): each channel times a weight 0-1."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // reduction, bias=False),
            nn.ReLU(inplace=True),
            nn.Linear(channels // reduction, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, features: Tensor) -> Tensor:
        weights = self.fc(self.pool(features).flatten(1))
        return features * weights.unsqueeze(-1).unsqueeze(-1)


class OriginalV1(nn.Module):
    """Four blocks 32-64-128-256, head 256-512-classes; 1,735,527 parameters with 3,036 classes."""

    channels: ClassVar[tuple[int, ...]] = (1, 32, 64, 128, 256)
    strides: ClassVar[tuple[int, ...]] = (2, 2, 2, 2)
    hidden: ClassVar[int] = 512
    reductions: ClassVar[dict[int, int]] = {}

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        for number, stride in enumerate(self.strides, start=1):
            outputs = self.channels[number]
            setattr(self, f"conv{number}", separable(self.channels[number - 1], outputs, stride))
            if number in self.reductions:
                setattr(self, f"attention{number}", ChannelAttention(outputs, self.reductions[number]))
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Dropout(0.3),
            nn.Linear(self.channels[-1], self.hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(0.2),
            nn.Linear(self.hidden, classes),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0.0, 0.01)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, pictures: Tensor) -> Tensor:
        features = pictures
        for number in range(1, len(self.strides) + 1):
            features = getattr(self, f"conv{number}")(features)
            if number in self.reductions:
                features = getattr(self, f"attention{number}")(features)
        return self.classifier(self.global_pool(features).flatten(1))


class OriginalV2(OriginalV1):
    """Five blocks 32-64-128-256-512, head 512-1024-classes; 3,818,599 parameters with 3,036 classes."""

    channels = (1, 32, 64, 128, 256, 512)
    strides = (2, 2, 2, 2, 1)
    hidden = 1024


class OriginalV21(OriginalV2):
    """v2 with SE after blocks 3, 4 and 5; 3,863,655 parameters with 3,036 classes."""

    reductions: ClassVar[dict[int, int]] = {3: 8, 4: 16, 5: 16}
