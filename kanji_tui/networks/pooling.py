"""Global average pooling that learns fast on CPUs."""

from torch import Tensor, nn


class GlobalAverage(nn.AdaptiveAvgPool2d):
    """The mean of each map, (N, C, H, W) to (N, C, 1, 1).

    PyTorch's own hands its gradient back in the other memory layout, which all before it then copy from and to:
    kanjinet's step takes 2 to 5 % longer. Exported it is the one operator that it is.
    """

    def __init__(self) -> None:
        super().__init__(1)

    def forward(self, features: Tensor) -> Tensor:
        if not self.training:
            return super().forward(features)
        return features.permute(0, 2, 3, 1).flatten(1, 2).mean(1)[:, :, None, None]
