"""hybrid: convolutions find strokes, a Transformer encoder relates their positions.

A 5x5 stem and dense 3x3 convolutions halve the image four times, as in kanjinet; two residual blocks refine it;
three encoder blocks with six heads attend over the remaining positions; then global average pooling, BatchNorm and
one linear layer.

Initialisation: encoder as in transformer.py; convolutions Kaiming normal (fan out); BatchNorm 1 and 0, but 0 and 0
at the end of each residual branch; the last layer N(0, 0.01) with bias 0.
"""

from torch import Tensor, nn

from kanji_tui.networks.kanjinet import convolution
from kanji_tui.networks.pooling import GlobalAverage
from kanji_tui.networks.transformer import Encoder

STEM = 32
STAGES = ((64, 1), (128, 1), (192, 0))  # channels, residual blocks
HALVINGS = 1 + len(STAGES)
DEPTH, HEADS, HIDDEN = 3, 6, 768
DROPOUT = 0.1


class Residual(nn.Module):
    """ReLU(x + branch(x)); the branch is two 3x3 convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            *convolution(channels, channels, 3), nn.ReLU(inplace=True), *convolution(channels, channels, 3)
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        return self.relu(features + self.branch(features))


class HybridNet(nn.Module):
    """float32 (N, 1, S, S), S from 32 to 128, to logits (N, classes); no weight depends on S."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [*convolution(1, STEM, 5, stride=2), nn.ReLU(inplace=True)]
        inputs = STEM
        for channels, blocks in STAGES:
            layers += [*convolution(inputs, channels, 3, stride=2), nn.ReLU(inplace=True)]
            layers += [Residual(channels) for _ in range(blocks)]
            inputs = channels
        self.body = nn.Sequential(*layers)
        side = -(-size // 2**HALVINGS)
        self.encoder = Encoder(side, inputs, DEPTH, HEADS, HIDDEN, DROPOUT)
        self.pool = GlobalAverage()
        self.norm = nn.BatchNorm1d(inputs)
        self.classifier = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for module in self.modules():
            if isinstance(module, Residual):
                nn.init.zeros_(module.branch[-1].weight)
        nn.init.normal_(self.classifier.weight, 0.0, 0.01)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, images: Tensor) -> Tensor:
        features = self.pool(self.encoder(self.body(images))).flatten(1)
        return self.classifier(self.norm(features))

    def attention(self, images: Tensor) -> Tensor:
        """Attention rollout: the weight of each position in the pooled mean, float32 (N, S / 16, S / 16)."""
        return self.encoder.rollout(self.body(images))
