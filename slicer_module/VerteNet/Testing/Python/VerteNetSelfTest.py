"""A walk through the module in the real application, against a label server that is running.

    VERTENET_TOKEN=... Slicer --python-script VerteNetSelfTest.py --server http://127.0.0.1:8000 [--submit]

The token, where the server wants one, comes from the environment, so that it is in no list of processes. Without
``--submit`` nothing is stored on the server. Slicer ends with status 0 where every step went well, else with 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np

STEP_S = 180.0
CORNER_COUNT = 24
#: A point must come back to the pixel it was put on; pixels.
TOLERANCE_PX = 0.01


class StepError(Exception):
    """A step of the walk went wrong; the text says which and how."""


def walk(session, wait, say, submit=False):
    """From the server's next image to a submitted label, in the session's scene.

    Parameters
    ----------
    session : VerteNetLib.session.Session
        Connected to a server.
    wait : callable
        Returns when nothing is under way.
    say : callable
        Gets a line for every step that went well.
    submit : bool
        Send the label to the server, which keeps it.

    Raises
    ------
    StepError
    """
    stage = session.stage
    session.next_image()
    _settle(session, wait, "next image")
    image = stage.image
    say(f"image: {image.columns} x {image.rows} pixels, spacing {image.spacing}")

    session.auto_landmark()
    _settle(session, wait, "landmarks")
    proposed = stage.landmarks.spine()
    present = [name for name, corner in proposed.named_points() if corner.is_present]
    if len(present) < CORNER_COUNT:
        raise StepError(f"{len(present)} landmarks have a position, {CORNER_COUNT} were expected")
    say(f"landmarks: {len(present)} points by {session.proposal.model_version}")
    _compare(proposed, session.proposal.reading.spine, "the model's points and the points on the screen")

    guides, crop = stage.overlays.guides(), stage.overlays.crop()
    if not guides or crop is None:
        raise StepError("no guides are drawn")
    say(f"guides: {len(guides)}; aorta: {crop.state}")

    before = guides["L1/L2"].anterior
    stage.landmarks.replace(proposed.map_points(lambda xy: xy + np.array([0.0, 3.0])))
    if abs(stage.overlays.guides()["L1/L2"].anterior[1] - before[1] - 3.0) > TOLERANCE_PX:
        raise StepError("the guides did not follow the landmarks")
    stage.landmarks.undo()
    _compare(stage.landmarks.spine(), proposed, "the points before a change and after it was undone")
    say("guides follow the landmarks, and undo brings both back")

    stage.view.set_flipped(True)
    _compare(stage.landmarks.spine(), proposed, "the points before and after the view was flipped")
    stage.view.set_flipped(False)
    say("a flipped view moves no point")

    session.confirm_levels()
    if session.levels_open:
        raise StepError("the levels are still open after they were confirmed")
    from vertenet.measure.aac import CELLS  # the module puts the library on the path

    area = stage.overlays.cell_area(CELLS[0])
    if area is None:
        raise StepError("nobody can tell where L1 is looked at")
    before = stage.landmarks.spine()
    stage.view.zoom_to(area)
    stage.view.fit()
    _compare(stage.landmarks.spine(), before, "the points before and after the view was zoomed")
    say("the levels are confirmed, and the view goes to L1 and back")

    session.set_score("L1", "anterior", 1)
    if session.aac.bounds != (1, 22):
        raise StepError(f"the AAC-24 bounds are {session.aac.bounds}, not 1 and 22")
    session.undo()
    if not session.aac.is_empty:
        raise StepError("undo did not take the grade back")
    session.redo()
    say("AAC-24: one grade, total between 1 and 22; undo and redo take it back and give it again")

    with tempfile.TemporaryDirectory() as folder:
        for path in session.export(Path(folder)):
            if not path.stat().st_size:
                raise StepError(f"{path.name} is empty")
            say(f"export: {path.name}")
    if submit:
        session.submit()
        _settle(session, wait, "submit")
        say("the label is on the server")


def _settle(session, wait, step):
    wait()
    message = session.message
    if message is not None and message.kind == "error":
        raise StepError(f"{step}: {message.text}")


def _compare(spine, other, what):
    for (name, corner), (_name, expected) in zip(spine.named_points(), other.named_points()):
        if corner.is_present and abs(corner.xy - expected.xy).max() > TOLERANCE_PX:
            raise StepError(f"{what} differ: {name} is at {corner.xy}, not at {expected.xy}")


def in_application(arguments):
    """The walk in Slicer, with the module's own widget, whose timer delivers the answers."""
    import slicer

    print(f"ok   Slicer {slicer.app.applicationVersion}, Python {sys.version.split()[0]}")
    widget = slicer.util.getModuleWidget("VerteNet")
    slicer.util.selectModule("VerteNet")
    session = widget.session

    def wait():
        deadline = time.monotonic() + STEP_S
        slicer.app.processEvents()
        while session.situation.busy:
            if time.monotonic() > deadline:
                raise StepError(f"still under way after {STEP_S:.0f} s: {session.progress}")
            slicer.app.processEvents()

    session.connect(arguments.server, os.environ.get("VERTENET_TOKEN", ""))
    _settle(session, wait, "connect")
    print(f"ok   connected to {arguments.server}")
    walk(session, wait, lambda line: print(f"ok   {line}"), arguments.submit)


def main():
    import slicer

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True)
    parser.add_argument("--submit", action="store_true")
    try:
        in_application(parser.parse_args())
    except Exception:  # Slicer would stay open and say nothing of it in its exit status
        traceback.print_exc()
        slicer.util.exit(1)
    else:
        print("VerteNet: every step went well.")
        slicer.util.exit(0)


if __name__ == "__main__":
    sys.exit(main())
