"""A network with its input normalisation, as it is evaluated and exported."""

from torch import Tensor, nn


class Recogniser(nn.Module):
    """float32 (N, 1, S, S) in 0-1, ink high, to logits (N, C): `network((image - mean) / std)`."""

    def __init__(self, network: nn.Module, mean: float = 0.0, std: float = 1.0) -> None:
        super().__init__()
        self.network = network
        self.mean = float(mean)
        self.std = float(std)

    def forward(self, images: Tensor) -> Tensor:
        if (self.mean, self.std) != (0.0, 1.0):
            images = (images - self.mean) / self.std
        return self.network(images)
