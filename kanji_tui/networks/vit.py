"""vit: a small Vision Transformer (Dosovitskiy et al. 2021), for comparison; it needs many samples.

Patches of 8x8 pixels become tokens of width 192; six encoder blocks with three heads follow. In place of a class
token, the mean of all tokens goes through BatchNorm and one linear layer: the mean of a feature map is classified,
as in the other networks.

Initialisation: encoder as in transformer.py; the patch layer Kaiming normal (fan in) with bias 0; the last layer
N(0, 0.01) with bias 0.
"""

from torch import Tensor, nn

from kanji_tui.networks.transformer import Encoder

PATCH = 8
WIDTH, DEPTH, HEADS, HIDDEN = 192, 6, 3, 768
DROPOUT = 0.1


class VisionTransformer(nn.Module):
    """float32 (N, 1, S, S), S from 32 to 128, to logits (N, classes); no weight depends on S.

    If S is not a multiple of 8, the border is padded with background (0).
    """

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        side = -(-size // PATCH)
        padding = -(-(side * PATCH - size) // 2)
        self.patches = nn.Conv2d(1, WIDTH, PATCH, PATCH, padding=padding)
        self.encoder = Encoder(side, WIDTH, DEPTH, HEADS, HIDDEN, DROPOUT)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.norm = nn.BatchNorm1d(WIDTH)
        self.classifier = nn.Linear(WIDTH, classes)
        nn.init.kaiming_normal_(self.patches.weight, nonlinearity="linear")
        nn.init.zeros_(self.patches.bias)
        nn.init.normal_(self.classifier.weight, 0.0, 0.01)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, images: Tensor) -> Tensor:
        features = self.pool(self.encoder(self.patches(images))).flatten(1)
        return self.classifier(self.norm(features))

    def attention(self, images: Tensor) -> Tensor:
        """Attention rollout: the weight of each patch in the pooled mean, float32 (N, S / 8, S / 8)."""
        return self.encoder.rollout(self.patches(images))
