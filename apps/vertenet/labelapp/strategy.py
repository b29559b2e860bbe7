"""Which image to offer next. Uncertainty and diversity come with the active-learning issue."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Any

from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.strategy import Strategy


class LeastRecentlyOffered(Strategy):
    """Random among the unlabelled, those offered long ago more likely.

    MONAI Label's own ``random`` fails when everything was offered within the last second: all its weights are zero.
    """

    def __init__(self) -> None:
        super().__init__("Random image without a final label, rarely one that was offered a moment ago")

    def __call__(self, request: Mapping[str, Any], datastore: Datastore) -> dict[str, Any] | None:
        images = sorted(datastore.get_unlabeled_images(request.get("label_tag"), request.get("labels")))
        if not images:
            return None
        now = time.time()
        weights = [1.0 + max(0.0, now - _last_offer(datastore, image, request["strategy"])) for image in images]
        return {"id": random.choices(images, weights=weights)[0]}


def _last_offer(datastore: Datastore, image: str, strategy: str) -> float:
    """Unix time, 0 for never; MONAI Label writes it into the image's information."""
    return float(datastore.get_image_info(image).get("strategy", {}).get(strategy, {}).get("ts", 0))
