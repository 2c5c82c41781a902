"""The Transformer encoder that `vit` and `hybrid` share, its attention written out in operators of opset 11.

Pre-norm blocks (Xiong et al. 2020) with GELU, and the fixed sine-cosine positions of the plane that Beyer et al.
2022 found as good as learned ones: they are no weights, so one set of weights fits every size of picture.

Initialisation: linear layers truncated normal with deviation 0.02 and bias 0; LayerNorm 1 and 0.
"""

import torch
from torch import Tensor, nn

WAVELENGTH = 10_000.0  # the longest wave of the positions, in tokens times 2 pi


def positions(side: int, width: int) -> Tensor:
    """float32 (1, side * side, width): sines and cosines of a token's column, then of its row; `width` by 4."""
    frequencies = WAVELENGTH ** -(torch.arange(width // 4) / (width // 4))
    angles = torch.arange(side)[:, None] * frequencies  # (side, width / 4)
    waves = torch.cat([angles.sin(), angles.cos()], 1)
    across = waves[None, :, :].expand(side, side, -1)
    down = waves[:, None, :].expand(side, side, -1)
    return torch.cat([across, down], 2).reshape(1, side * side, width)


class Attention(nn.Module):
    """Every token looks at all (Vaswani et al. 2017): (N, tokens, width) to the same."""

    def __init__(self, tokens: int, width: int, heads: int) -> None:
        super().__init__()
        self.shape = (-1, tokens, heads, width // heads)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def weights(self, features: Tensor) -> Tensor:
        """How much each token takes of each other: (N, heads, tokens, tokens), rows that sum to 1."""
        query = self.query(features).reshape(self.shape).transpose(1, 2)
        key = self.key(features).reshape(self.shape).permute(0, 2, 3, 1)
        return (query @ key * self.shape[-1] ** -0.5).softmax(3)

    def forward(self, features: Tensor) -> Tensor:
        value = self.value(features).reshape(self.shape).transpose(1, 2)
        return self.out((self.weights(features) @ value).transpose(1, 2).flatten(2))


class EncoderBlock(nn.Module):
    """x + attention(norm(x)), then the same with a two-layer perceptron."""

    def __init__(self, tokens: int, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(tokens, width, heads)
        self.perceptron_norm = nn.LayerNorm(width)
        self.perceptron = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor) -> Tensor:
        features = features + self.dropout(self.attention(self.attention_norm(features)))
        return features + self.dropout(self.perceptron(self.perceptron_norm(features)))


class Encoder(nn.Module):
    """A picture of features (N, width, side, side) to the same, each place now knowing all others."""

    def __init__(self, side: int, width: int, depth: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.side, self.width = side, width
        self.register_buffer("positions", positions(side, width), persistent=False)
        self.blocks = nn.Sequential(
            *(EncoderBlock(side * side, width, heads, hidden, dropout) for _ in range(depth))
        )
        self.norm = nn.LayerNorm(width)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def tokens(self, features: Tensor) -> Tensor:
        """(N, width, side, side) to (N, side * side, width), positions added."""
        return features.flatten(2).transpose(1, 2) + self.positions

    def forward(self, features: Tensor) -> Tensor:
        found = self.norm(self.blocks(self.tokens(features)))
        return found.transpose(1, 2).reshape(-1, self.width, self.side, self.side)

    def rollout(self, features: Tensor) -> Tensor:
        """How much of each place reaches the mean of all: (N, side, side), each map summing to 1.

        Attention rollout (Abnar & Zuidema 2020): the product of all blocks' attention, the mean of the heads,
        each half the identity for the way around it.
        """
        found = self.tokens(features)
        reached = torch.full_like(found[:, :1, 0], 1 / found.shape[1]).expand(-1, found.shape[1])[:, None]
        passed: list[Tensor] = []
        for block in self.blocks:
            passed.append(block.attention.weights(block.attention_norm(found)).mean(1))
            found = block(found)
        for weights in reversed(passed):
            reached = (reached + reached @ weights) / 2
        return reached.reshape(-1, self.side, self.side)
