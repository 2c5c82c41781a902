"""kuzushiji: two kernel sizes in parallel, with channel and spatial attention; made for cursive characters.

A 3x3 stem of 32 channels; three residual blocks of 64, 128 and 256 channels with strides 1, 2, 2, each the mean of
a 3x3 and a 5x5 depthwise-separable branch followed by CBAM (Woo et al. 2018: channel attention with reduction 16,
then spatial attention with a 7x7 kernel); global average pooling; a head 256-512-classes with dropout 0.3. The
BatchNorm in the head is our addition: pooled features are nearly the same for all images, and without it the head
hardly learns (100 classes of synthetic samples, eight epochs: 6.6 % without, 90.4 % with).

It was designed for 28x28 images. The stem halves images above 48 pixels: the receptive field of the last features
then covers as large a part of the character (37 pixels of 64, as 19 of 28), and the network takes a tenth of the
time.

Initialisation: convolutions Kaiming normal (fan out); BatchNorm 1 and 0; linear layers N(0, 0.01) with bias 0.
"""

from torch import Tensor, cat, nn

from kanji_tui.networks.pooling import GlobalAverage

STEM = 32
UNHALVED = 48  # the largest image side that the stem does not halve
STAGES = ((64, 1), (128, 2), (256, 2))  # channels, stride
KERNELS = (3, 5)
REDUCTION = 16
SPATIAL_KERNEL = 7
HIDDEN = 512
DROPOUT = 0.3


def separable(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    """Depthwise with `stride`, BatchNorm and ReLU, then pointwise and BatchNorm."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, kernel, stride, padding=kernel // 2, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
    )


class ChannelAttention(nn.Module):
    """Scales each channel by a weight 0-1 computed from the means and maxima of all channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mean = GlobalAverage()
        self.most = nn.AdaptiveMaxPool2d(1)
        self.weigh = nn.Sequential(
            nn.Conv2d(channels, channels // REDUCTION, 1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels // REDUCTION, channels, 1, bias=False),
        )

    def forward(self, features: Tensor) -> Tensor:
        return features * (self.weigh(self.mean(features)) + self.weigh(self.most(features))).sigmoid()


class SpatialAttention(nn.Module):
    """Scales each position by a weight 0-1 computed from the mean and maximum over the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.weigh = nn.Conv2d(2, 1, SPATIAL_KERNEL, padding=SPATIAL_KERNEL // 2, bias=False)

    def map(self, features: Tensor) -> Tensor:
        """The weights, (N, 1, H, W) in 0-1."""
        return self.weigh(cat([features.mean(1, keepdim=True), features.amax(1, keepdim=True)], 1)).sigmoid()

    def forward(self, features: Tensor) -> Tensor:
        return features * self.map(features)


class Block(nn.Module):
    """ReLU(shortcut(x) + CBAM(mean of the branches)); the shortcut is a 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(separable(inputs, outputs, kernel, stride) for kernel in KERNELS)
        self.channels = ChannelAttention(outputs)
        self.places = SpatialAttention()
        self.shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.relu = nn.ReLU(inplace=True)

    def weighted_channels(self, features: Tensor) -> Tensor:
        """The input of the spatial attention: the mean of the branches after channel attention."""
        small, large = (branch(features) for branch in self.branches)
        return self.channels((small + large) / 2)

    def forward(self, features: Tensor) -> Tensor:
        return self.relu(self.shortcut(features) + self.places(self.weighted_channels(features)))


class KuzushijiNet(nn.Module):
    """float32 (N, 1, S, S), S from 32 to 128, to logits (N, classes); no weight depends on S."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(1, STEM, 3, 1 if size <= UNHALVED else 2, padding=1, bias=False),
            nn.BatchNorm2d(STEM),
            nn.ReLU(inplace=True),
        )
        inputs = [STEM, *(channels for channels, _ in STAGES)]
        self.blocks = nn.Sequential(*(Block(before, *stage) for before, stage in zip(inputs, STAGES, strict=False)))
        self.pool = GlobalAverage()
        self.classifier = nn.Sequential(
            nn.Linear(inputs[-1], HIDDEN),
            nn.BatchNorm1d(HIDDEN),
            nn.ReLU(inplace=True),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN, classes),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0.0, 0.01)
                nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.pool(self.blocks(self.first(images))).flatten(1))

    def attention(self, images: Tensor) -> Tensor:
        """The spatial attention of the last block, float32 (N, S', S') in 0-1."""
        features = self.blocks[:-1](self.first(images))
        last = self.blocks[-1]
        return last.places.map(last.weighted_channels(features)).squeeze(1)
