"""Networks of the package `transformers`, for comparison: initialised as that package does, never downloaded.

They are configured for 64x64 images: one input channel, the image halved four times at most (Swin three), and eager
attention, which can be exported. Only the weights of zoo-vit depend on the image size: its positions are learned.
"""

import transformers
from torch import Tensor, nn

EAGER = "eager"


class ZooNetwork(nn.Module):
    """float32 (N, 1, S, S) to logits (N, classes), by an image classifier of transformers."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(pixel_values=images, return_dict=False)[0]
        return logits


def resnet(classes: int, size: int) -> ZooNetwork:
    """He et al. 2016: three stages of two basic blocks each."""
    config = transformers.ResNetConfig(
        num_channels=1,
        num_labels=classes,
        embedding_size=32,
        hidden_sizes=[64, 128, 256],
        depths=[2, 2, 2],
        layer_type="basic",
    )
    return ZooNetwork(transformers.ResNetForImageClassification(config))


def efficientnet(classes: int, size: int) -> ZooNetwork:
    """Tan & Le 2019: half of B0's width, and one halving fewer at its end."""
    config = transformers.EfficientNetConfig(
        num_channels=1,
        num_labels=classes,
        image_size=size,
        width_coefficient=0.5,
        depth_coefficient=1.0,
        hidden_dim=640,
        strides=[1, 2, 2, 2, 1, 1, 1],
    )
    return ZooNetwork(transformers.EfficientNetForImageClassification(config))


def vit(classes: int, size: int) -> ZooNetwork:
    """Dosovitskiy et al. 2021: patches of 8x8 pixels, six blocks, a class token."""
    config = transformers.ViTConfig(
        num_channels=1,
        num_labels=classes,
        image_size=size,
        patch_size=8,
        hidden_size=192,
        num_hidden_layers=6,
        num_attention_heads=3,
        intermediate_size=768,
        attn_implementation=EAGER,
    )
    return ZooNetwork(transformers.ViTForImageClassification(config))


def swin(classes: int, size: int) -> ZooNetwork:
    """Liu et al. 2021: patches of 2x2 pixels, three stages, windows of 4x4."""
    config = transformers.SwinConfig(
        num_channels=1,
        num_labels=classes,
        image_size=size,
        patch_size=2,
        embed_dim=48,
        depths=[2, 2, 2],
        num_heads=[2, 4, 8],
        window_size=4,
        attn_implementation=EAGER,
    )
    return ZooNetwork(transformers.SwinForImageClassification(config))
