import torch
from torch import nn

from kanji_tui.networks.pooling import GlobalAverage


def test_the_mean_matches_pytorch_and_the_gradient_is_channels_last():
    features = torch.rand(2, 8, 5, 4).contiguous(memory_format=torch.channels_last).requires_grad_()
    gradients = []
    inputs = features * 1
    inputs.register_hook(gradients.append)
    pooled = GlobalAverage()(inputs)

    torch.testing.assert_close(pooled, nn.AdaptiveAvgPool2d(1)(features))
    (pooled * torch.arange(8.0)[:, None, None]).sum().backward()
    assert gradients[0].is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(features.grad[1, 3], torch.full((5, 4), 3 / 20))
