"""Augments whole batches on their own device: affine, elastic, stroke width, erasing, noise.

The geometry is sampled for each image. Affine and elastic share one resampling: both are computed on a coarse grid
of points that is interpolated bilinearly, which leaves an affine map exact.
"""

from collections.abc import Callable
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional

from kanji_tui.training.recipes import Recipe

GRID_POINTS = 7  # points per side at which the elastic displacement is sampled
PATCH = (0.08, 0.24)  # the smallest and the largest side of an erased patch, as fractions of the image's side


def augment(images: Tensor, config: Recipe, strength: float, generator: torch.Generator) -> Tensor:
    """Augment float32 (N, 1, S, S) in 0-1, ink high; `strength` 0-1 scales everything but `noise_share`."""
    if strength > 0:
        images = _change_stroke_width(images, config, strength, generator)
        images = _warp(images, config, strength, generator)
        images = _erase(images, config, strength, generator)
        images = _add_noise(images, config, strength, generator)
    return images


def _uniform(shape: tuple[int, ...], like: Tensor, generator: torch.Generator) -> Tensor:
    """Uniformly distributed in -1 to 1."""
    return torch.rand(shape, device=like.device, generator=generator) * 2 - 1


def _warp(images: Tensor, config: Recipe, strength: float, generator: torch.Generator) -> Tensor:
    if not (config.rotation or config.shear or config.scale or config.shift or config.elastic):
        return images
    count, _, height, width = images.shape
    angle, shear, wide, high, right, down = _uniform((6, count), images, generator) * strength
    angle = angle * (config.rotation * torch.pi / 180)
    cosine, sine = angle.cos(), angle.sin()
    wide, high = 1 / (1 + config.scale * wide), 1 / (1 + config.scale * high)
    slant = config.shear * shear
    # Rows of output-to-input maps in grid_sample's coordinates, -1 to 1 over the side: rotate, shear, scale, shift.
    rows = [
        torch.stack([cosine * wide, (cosine * slant - sine) * high, 2 * config.shift * right], 1),
        torch.stack([sine * wide, (sine * slant + cosine) * high, 2 * config.shift * down], 1),
    ]
    line = torch.linspace(-1, 1, GRID_POINTS, device=images.device)
    y, x = torch.meshgrid(line, line, indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)]).reshape(3, -1)
    warped = (torch.stack(rows, 1) @ points).reshape(count, 2, GRID_POINTS, GRID_POINTS)
    if config.elastic:
        displacement = torch.randn(warped.shape, device=images.device, generator=generator)
        warped = warped + displacement * (2 * config.elastic * strength)
    down, across = (_interpolation(GRID_POINTS, length, images) for length in (height, width))
    grid = (down @ warped @ across.T).permute(0, 2, 3, 1)
    return functional.grid_sample(images, grid, align_corners=True)


def _interpolation(points: int, length: int, like: Tensor) -> Tensor:
    """The weights (length, points) of linear interpolation between evenly spaced points, outer ones at the ends.

    As a matrix product it is six times as fast as `functional.interpolate` on a CPU.
    """
    place = torch.linspace(0, points - 1, length, device=like.device)[:, None]
    return (1 - (place - torch.arange(points, device=like.device)).abs()).clamp(min=0)


def _change_stroke_width(images: Tensor, config: Recipe, strength: float, generator: torch.Generator) -> Tensor:
    """Blend with the image whose strokes are a radius thicker, or half as far with the one whose are thinner."""
    if not config.stroke_width:
        return images
    radius = max(1, round(images.shape[-1] / 64))
    reach = config.stroke_width * images.shape[-1] / 64 / radius * strength
    amount = (_uniform((len(images), 1, 1, 1), images, generator) * reach).clamp(-1, 1)
    thicker = _extreme(images, radius, torch.maximum, beyond=0.0) - images
    thinner = images - _extreme(images, radius, torch.minimum, beyond=1.0)
    return images + amount.clamp(min=0) * thicker + 0.5 * amount.clamp(max=0) * thinner


def _extreme(images: Tensor, radius: int, choose: Callable[[Tensor, Tensor], Tensor], beyond: float) -> Tensor:
    """The maximum or minimum within `radius` rows and columns: 25 times as fast as max_pool2d on a CPU."""
    found = functional.pad(images, (radius,) * 4, value=beyond)
    for axis in (2, 3):
        length = images.shape[axis]
        found = reduce(choose, (found.narrow(axis, start, length) for start in range(2 * radius + 1)))
    return found


def _erase(images: Tensor, config: Recipe, strength: float, generator: torch.Generator) -> Tensor:
    """Erase a random rectangle of a fraction of the images (Zhong et al. 2017)."""
    if not config.erase:
        return images
    chance, right, down, wide, high = (_uniform((5, len(images), 1), images, generator) + 1) / 2
    least, most = PATCH
    line = torch.linspace(0, 1, images.shape[-1], device=images.device)
    across = (line - right).abs() * 2 < least + (most - least) * wide
    along = (line - down).abs() * 2 < least + (most - least) * high
    chosen = (chance < config.erase * strength)[:, :, None]
    patch = chosen & along[:, :, None] & across[:, None, :]
    return images.masked_fill(patch.unsqueeze(1), 0.0)


def _add_noise(images: Tensor, config: Recipe, strength: float, generator: torch.Generator) -> Tensor:
    if not config.noise:
        return images
    noise = torch.randn(images.shape, device=images.device, generator=generator) * (config.noise * strength)
    chosen = torch.rand((len(images), 1, 1, 1), device=images.device, generator=generator) < config.noise_share
    return (images + noise * chosen).clamp(0, 1)
