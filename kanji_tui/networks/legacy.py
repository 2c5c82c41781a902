"""The networks of the original scripts, with the same state-dict keys and parameter counts.

Depthwise-separable blocks 32-64-128-256(-512), global average pooling, a two-layer head. Files trained by those
scripts load unchanged; they expect inputs 0-1 without further normalisation, blurred as those scripts prepare them.

Initialisation, as in those scripts: convolutions Kaiming normal (fan out), BatchNorm 1 and 0, linear layers
N(0, 0.01) with bias 0.
"""

from contextlib import nullcontext
from typing import ClassVar

import torch
from torch import Tensor, nn

from kanji_tui.networks.pooling import GlobalAverage


def separable(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """Depthwise 3x3 with `stride`, then pointwise, each with BatchNorm and ReLU."""
    block = FromOneChannel if inputs == 1 else nn.Sequential
    return block(
        nn.Conv2d(inputs, inputs, 3, stride, padding=1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class FromOneChannel(nn.Sequential):
    """A separable block of one input channel; in training its pointwise convolution and BatchNorm are fused.

    With one input channel each output channel is that channel times a weight w: its mean is w times the channel's
    mean, its variance w squared times the channel's variance. BatchNorm only needs the statistics of that channel.
    The result is the same up to rounding and takes a third less time (CPU). The output is channels_last; a
    convolution would lose that layout here, since a tensor of one channel is the same in both layouts.
    """

    def forward(self, images: Tensor) -> Tensor:
        depthwise, depthwise_norm, relu, pointwise, norm, _ = self
        if not (
            self.training and isinstance(norm, nn.BatchNorm2d)
        ):  # SyncBatchNorm needs the other ranks' statistics
            return super().forward(images)
        features = relu(depthwise_norm(depthwise(images)))
        weights = pointwise.weight.flatten()
        variance, mean = torch.var_mean(features.float(), correction=0)
        scale = norm.weight * weights * (weights.square() * variance + norm.eps).rsqrt()
        count, _, height, width = features.shape
        expanded = torch.addmm(norm.bias - scale * mean, features.reshape(-1, 1), scale[None])
        with torch.no_grad():
            unbiased = variance * (features.numel() / (features.numel() - 1))
            norm.running_mean.lerp_(weights * mean, norm.momentum)
            norm.running_var.lerp_(weights.square() * unbiased, norm.momentum)
            norm.num_batches_tracked += 1
        return relu(expanded).view(count, height, width, -1).permute(0, 3, 1, 2)


class ChannelAttention(nn.Module):
    """Squeeze and excitation without biases (Hu et al. 2018): scales each channel by a weight 0-1."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.pool = GlobalAverage()
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
        self.global_pool = GlobalAverage()
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

    def forward(self, images: Tensor) -> Tensor:
        # Only the head runs in bfloat16: on CPUs depthwise convolutions take twice as long in it.
        with torch.autocast("cpu", enabled=False) if self.training else nullcontext():
            features = images
            for number in range(1, len(self.strides) + 1):
                features = getattr(self, f"conv{number}")(features)
                if number in self.reductions:
                    features = getattr(self, f"attention{number}")(features)
            pooled = self.global_pool(features).flatten(1)
        return self.classifier(pooled)


class OriginalV2(OriginalV1):
    """Five blocks 32-64-128-256-512, head 512-1024-classes; 3,818,599 parameters with 3,036 classes."""

    channels = (1, 32, 64, 128, 256, 512)
    strides = (2, 2, 2, 2, 1)
    hidden = 1024


class OriginalV21(OriginalV2):
    """v2 with SE after blocks 3, 4 and 5; 3,863,655 parameters with 3,036 classes."""

    reductions: ClassVar[dict[int, int]] = {3: 8, 4: 16, 5: 16}
