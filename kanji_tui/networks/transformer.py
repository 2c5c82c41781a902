"""The Transformer encoder that `vit` and `hybrid` share; its attention uses only operators of opset 11.

Pre-norm blocks (Xiong et al. 2020) with GELU, and fixed 2-D sine-cosine position encodings, which Beyer et al. 2022
found as good as learned ones. They are not weights, so one set of weights fits every image size.

Initialisation: linear layers truncated normal with deviation 0.02 and bias 0; LayerNorm 1 and 0.
"""

import torch
from torch import Tensor, nn

WAVELENGTH = 10_000.0  # longest wavelength of the position encoding, in tokens times 2 pi


def positions(side: int, width: int) -> Tensor:
    """float32 (1, side * side, width): sines and cosines of a token's column, then of its row.

    `width` must be a multiple of 4.
    """
    frequencies = WAVELENGTH ** -(torch.arange(width // 4) / (width // 4))
    angles = torch.arange(side)[:, None] * frequencies  # (side, width / 4)
    waves = torch.cat([angles.sin(), angles.cos()], 1)
    across = waves[None, :, :].expand(side, side, -1)
    down = waves[:, None, :].expand(side, side, -1)
    return torch.cat([across, down], 2).reshape(1, side * side, width)


class Attention(nn.Module):
    """Multi-head self-attention (Vaswani et al. 2017): (N, tokens, width) to the same shape."""

    def __init__(self, tokens: int, width: int, heads: int) -> None:
        super().__init__()
        self.shape = (-1, tokens, heads, width // heads)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def weights(self, features: Tensor) -> Tensor:
        """The attention weights: (N, heads, tokens, tokens), rows sum to 1."""
        query = self.query(features).reshape(self.shape).transpose(1, 2)
        key = self.key(features).reshape(self.shape).permute(0, 2, 3, 1)
        return (query @ key * self.shape[-1] ** -0.5).softmax(3)

    def forward(self, features: Tensor) -> Tensor:
        value = self.value(features).reshape(self.shape).transpose(1, 2)
        return self.out((self.weights(features) @ value).transpose(1, 2).flatten(2))


class EncoderBlock(nn.Module):
    """x + attention(norm(x)), then x + perceptron(norm(x)) with a two-layer perceptron."""

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
    """Encoder blocks over a feature map: (N, width, side, side) to the same shape."""

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
        """(N, width, side, side) to (N, side * side, width), position encoding added."""
        return features.flatten(2).transpose(1, 2) + self.positions

    def forward(self, features: Tensor) -> Tensor:
        found = self.norm(self.blocks(self.tokens(features)))
        return found.transpose(1, 2).reshape(-1, self.width, self.side, self.side)

    def rollout(self, features: Tensor) -> Tensor:
        """The weight of each position in the mean of the output, by attention rollout: (N, side, side), sum 1.

        Attention rollout (Abnar & Zuidema 2020): the product over the blocks of (A + I) / 2, where A is the mean of
        the heads' attention weights and I stands for the residual connection.
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
