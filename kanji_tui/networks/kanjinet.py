"""kanjinet: the default network, small enough for a browser, with dense convolutions where there are few channels.

The receptive field of the 5x5 stem covers whole strokes. Each of three stages halves the image by a dense 3x3
convolution and refines it in residual blocks with squeeze and excitation: dense blocks first, depthwise blocks
where there are more channels. Global average pooling and a BatchNorm precede the one linear layer: after ReLU and
pooling the features of all images are nearly one vector, and without that BatchNorm the layer hardly learns.

Initialisation: convolutions Kaiming normal (fan out); BatchNorm 1 and 0, but 0 and 0 at the end of each residual
branch, so that every block starts as the identity; the linear layer N(0, 0.01) with bias 0.
"""

from torch import Tensor, nn

from kanji_tui.networks.pooling import GlobalAverage

STAGES = ((64, 1, 0), (128, 0, 1), (256, 0, 2))  # channels, dense blocks, depthwise blocks
STEM = 32
FEATURES = 512
EXPANSION = 2
REDUCTION = 8


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """A convolution without bias and its BatchNorm."""
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]


class SqueezeExcite(nn.Module):
    """Scales each channel by a weight 0-1 computed from the means of all channels (Hu et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool = GlobalAverage()
        self.weigh = nn.Sequential(
            nn.Conv2d(channels, channels // REDUCTION, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels // REDUCTION, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, features: Tensor) -> Tensor:
        return features * self.weigh(self.pool(features))


class Residual(nn.Module):
    """ReLU(x + SE(branch(x))); the branch is two dense 3x3 convolutions, or a depthwise 3x3 and two 1x1,
    the first of which widens."""

    def __init__(self, channels: int, depthwise: bool) -> None:
        super().__init__()
        if depthwise:
            wide = channels * EXPANSION
            layers = [
                *convolution(channels, channels, 3, groups=channels),
                *convolution(channels, wide, 1),
                nn.ReLU(inplace=True),
                *convolution(wide, channels, 1),
            ]
        else:
            layers = [
                *convolution(channels, channels, 3),
                nn.ReLU(inplace=True),
                *convolution(channels, channels, 3),
            ]
        self.branch = nn.Sequential(*layers)
        self.attention = SqueezeExcite(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        return self.relu(features + self.attention(self.branch(features)))


class KanjiNet(nn.Module):
    """float32 (N, 1, S, S), S from 32 to 128, to logits (N, classes); no weight depends on S."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(*convolution(1, STEM, 5, stride=2), nn.ReLU(inplace=True))
        layers: list[nn.Module] = []
        inputs = STEM
        for channels, dense, depthwise in STAGES:
            layers += [*convolution(inputs, channels, 3, stride=2), nn.ReLU(inplace=True)]
            layers += [Residual(channels, depthwise=False) for _ in range(dense)]
            layers += [Residual(channels, depthwise=True) for _ in range(depthwise)]
            inputs = channels
        self.body = nn.Sequential(*layers, *convolution(inputs, FEATURES, 1), nn.ReLU(inplace=True))
        self.pool = self.pooling()
        self.norm = nn.BatchNorm1d(FEATURES)
        self.classifier = nn.Linear(FEATURES, classes)
        self._initialise()

    def pooling(self) -> nn.Module:
        """The pooling layer: (N, FEATURES, H, W) to FEATURES values an image."""
        return GlobalAverage()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for module in self.modules():
            if isinstance(module, Residual):
                nn.init.zeros_(module.branch[-1].weight)
        nn.init.normal_(self.classifier.weight, 0.0, 0.01)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, images: Tensor) -> Tensor:
        features = self.pool(self.body(self.stem(images))).flatten(1)
        return self.classifier(self.norm(features))


class KanjiNet2x2(KanjiNet):
    """kanjinet pooled to 2x2: the classifier gets FEATURES / 4 values from each quarter of the image."""

    def pooling(self) -> nn.Module:
        squeeze = convolution(FEATURES, FEATURES // 4, 1)
        return nn.Sequential(*squeeze, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(2))
