"""What a reader does in most tests."""

from __future__ import annotations

import httpx
import numpy as np

from ..conftest import new_image, truth_of_size
from .conftest import wait


def begin(session, server, *, landmarks: str = "true", url: str = "") -> str:
    """Connected, with a new image on the screen; its id. Images of other tests are labelled, or on their desks.

    ``landmarks``: ``true`` ones, those of the ``model``, or ``none``.
    """
    new_image(server)
    session.connect(url or server.url)
    wait(session)
    session.next_image("first")
    wait(session)
    if landmarks == "model":
        session.auto_landmark()
        wait(session)
    elif landmarks == "true":
        place_truth(session)
    return session.sample.image_id


def place_truth(session) -> None:
    """What a reader does who places all points by hand, and well."""
    spine = truth_of_size(session.stage.image.rows, session.stage.image.columns)
    session.start_by_hand(spine.anterior)
    session.stage.landmarks.replace(spine)


def move(session, name: str, dx: float) -> None:
    """What a drag does: one corner elsewhere, as one change that can be undone."""
    spine = session.stage.landmarks.spine()
    level, corner = name.split("-")
    chosen = spine[level][corner]
    moved = spine.map_points(lambda xy: np.where(np.all(xy == chosen.xy), xy + np.array([dx, 0.0]), xy))
    session.stage.landmarks.replace(moved)


def history(server, image_id: str) -> list[dict]:
    answer = httpx.get(f"{server.url}/datastore/label/history", params={"image": image_id}, trust_env=False)
    return answer.raise_for_status().json()["revisions"]
