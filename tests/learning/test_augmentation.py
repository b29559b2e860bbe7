import torch

from vertenet.learning.augmentation import Augmentation, augment

GEOMETRY_ONLY = Augmentation(mirror=0, gamma=0, contrast=0, brightness=0, noise=0, blur=0, blank=0)


def spots(points, h=512, w=256):
    """(B, h, w) images with one soft spot at each of (B, 2) points."""
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    return torch.stack([torch.exp(-((x - p[0]) ** 2 + (y - p[1]) ** 2) / 18) for p in points])


def weighted_mean(image):
    image = image * (image > 0.1)
    y, x = torch.meshgrid(torch.arange(image.shape[0]), torch.arange(image.shape[1]), indexing="ij")
    return torch.stack([(image * x).sum(), (image * y).sum()]) / image.sum()


def batch(n=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(n, 2, generator=generator) * torch.tensor([60.0, 120.0]) + torch.tensor([98.0, 196.0])
    corners = points[:, None, None].expand(n, 6, 4, 2).clone()
    return spots(points), corners, corners.mean(2)[:, [0, 0, 1, 2, 3, 4, 5, 5]].clone(), generator


def test_landmarks_move_with_the_pixels_to_a_tenth_of_a_pixel():
    images, corners, centres, generator = batch()
    moved, points, _, _ = augment(images, corners, centres, GEOMETRY_ONLY, generator)
    for image, point in zip(moved, points[:, 0, 0]):
        assert torch.dist(weighted_mean(image), point) < 0.1
    assert torch.dist(points, corners) > 1


def test_mirrored_images_are_marked_and_only_they_are_mirrored():
    images, corners, centres, generator = batch(seed=1)
    ranges = Augmentation(**{**GEOMETRY_ONLY.__dict__, "mirror": 0.5})
    moved, points, _, faces_right = augment(images, corners, centres, ranges, generator)
    assert 0 < int(faces_right.sum()) < len(images)
    for image, point, right in zip(moved, points[:, 0, 0], faces_right):
        seen = weighted_mean(image if right else image.flip(-1))
        assert torch.dist(seen, point) < 0.1


def test_a_centre_that_leaves_the_image_is_unknown():
    images, corners, centres, generator = batch(seed=2)
    centres[:, 0] = torch.tensor([128.0, 2000.0])
    _, _, moved, _ = augment(images, corners, centres, GEOMETRY_ONLY, generator)
    assert torch.isnan(moved[:, 0]).all()
    assert torch.isfinite(moved[:, 1]).all()


def test_grey_values_stay_between_black_and_white_and_change():
    images, corners, centres, generator = batch(seed=3)
    moved, *_ = augment(images, corners, centres, Augmentation(rotation=0, scale=0, aspect=0, shift=0), generator)
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert (moved - images).abs().mean() > 0.01


def test_the_same_generator_state_gives_the_same_batch():
    first = augment(*batch(seed=4)[:3], Augmentation(), torch.Generator().manual_seed(9))
    second = augment(*batch(seed=4)[:3], Augmentation(), torch.Generator().manual_seed(9))
    assert all(torch.equal(a, b) for a, b in zip(first, second))
