"""A landmark at a known pixel is still there after image -> Slicer -> server -> Slicer, to 0.01 px, for every file."""

from __future__ import annotations

import numpy as np
import pytest
import vtk

from vertenet.annotation import markups
from vertenet.server.store.check import check_label
from vertenet.server.store.facts import ImageFacts
from vertenet.spine import Spine

from ..mrml_scene import MrmlScene
from . import files

TOLERANCE_PX = 0.01

CASES = {
    **{
        f"{modality}, {spacing}, {orientation}": lambda folder, m=modality, s=spacing, o=orientation: files.dicom(
            folder / "image.dcm", modality=m, **files.SPACINGS[s], **files.ORIENTATIONS[o]
        )
        for modality in files.CLASSES
        for spacing in files.SPACINGS
        for orientation in files.ORIENTATIONS
    },
    "PNG": lambda folder: files.raster(folder / "image.png"),
    "PNG, 16 bits": lambda folder: files.raster(folder / "image.png", files.pixels(16)),
    "PNG with resolution": lambda folder: files.raster(folder / "image.png", dpi=(300, 150)),
    "JPEG with resolution": lambda folder: files.raster(folder / "image.jpg", dpi=(300, 150)),
    "TIFF with resolution": lambda folder: files.raster(folder / "image.tif", dpi=(300, 150)),
    "NIfTI": lambda folder: files.volume(folder / "image.nii.gz"),
    "NIfTI, sagittal": lambda folder: files.volume(folder / "image.nii.gz", (0, 0, 1, -1, 0, 0, 0, -1, 0)),
    "NIfTI, sagittal, foot first": lambda folder: files.volume(folder / "image.nii.gz", (0, 0, 1, 1, 0, 0, 0, 1, 0)),
    "NRRD, oblique": lambda folder: files.volume(folder / "image.nrrd", (0, 0, 1, -0.8, 0.6, 0, -0.6, -0.8, 0)),
    "MetaImage, 1 mm": lambda folder: files.volume(folder / "image.mha", spacing=(1, 1, 1)),
}


@pytest.fixture(scope="module")
def one_world():
    with MrmlScene(320, 480) as made:
        yield made


@pytest.fixture
def shared_world(one_world):
    """The same scene again and again, as in a long session."""
    yield one_world
    one_world.clear()


def assert_same_place(spine: Spine, expected: Spine) -> None:
    assert spine.levels == expected.levels
    worst = np.abs(spine.to_array() - expected.to_array()).max()
    assert worst < TOLERANCE_PX


def submitted(stage) -> bytes:
    """The label as the session sends it."""
    image = stage.image
    size = (image.rows, image.columns)
    return markups.dumps(stage.landmarks.spine(), image.geometry, image=image.name, size=size).encode()


def parent_transform(world) -> object:
    matrix = vtk.vtkTransform()
    matrix.Translate(20, -35, 4)
    matrix.RotateWXYZ(33, 0.3, -0.5, 0.8)
    node = world.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    node.SetMatrixTransformToParent(matrix.GetMatrix())
    return node


def world_position(volume, xy) -> np.ndarray:
    """Where MRML itself says that pixel (x, y) of a file stored head first is."""
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    ras = matrix.MultiplyPoint((*xy, 0.0, 1.0))[:3]
    parent = volume.GetParentTransformNode()
    return np.array(ras if parent is None else parent.GetTransformToParent().TransformPoint(ras))


@pytest.mark.parametrize("case", CASES)
def test_a_landmark_keeps_its_pixel_from_file_to_slicer_to_server_and_back(shared_world, tmp_path, case):
    path = CASES[case](tmp_path)
    facts, expected = ImageFacts.of(path), files.spine()
    stage = shared_world.stage()
    image = stage.load(path, "image")
    assert (image.rows, image.columns) == (facts.rows, facts.columns)

    stage.landmarks.show(expected)
    if "foot first" not in case and "NIfTI" not in case:
        volume = shared_world.scene.GetNodeByID(image.volume_id)
        corner = expected["L3"]["SA"].xy
        np.testing.assert_allclose(stage.landmarks.position("L3-SA"), world_position(volume, corner), atol=1e-6)
    received = check_label(submitted(stage), facts, "image").spine
    assert_same_place(received, expected)
    # The server's own file of it, in the geometry that the server knows, shown again.
    back = markups.loads(markups.dumps(received, facts.geometry, image="image"))
    stage.landmarks.show(back)
    assert_same_place(stage.landmarks.spine(), expected)
    stage.close()


@pytest.mark.parametrize("case", ["DX, PixelSpacing, sagittal", "PNG", "NIfTI, sagittal, foot first"])
def test_the_file_that_slicer_itself_saves_is_read_the_same_by_the_server(shared_world, tmp_path, case):
    path = CASES[case](tmp_path)
    stage = shared_world.stage()
    stage.load(path, "image")
    stage.landmarks.show(files.spine())
    nodes = shared_world.nodes("vtkMRMLMarkupsFiducialNode", "landmarks")
    storage = shared_world.scene.AddNewNodeByClass("vtkMRMLMarkupsJsonStorageNode")
    storage.SetFileName(str(tmp_path / "saved.mrk.json"))
    assert storage.WriteData(nodes[-1])
    label = check_label((tmp_path / "saved.mrk.json").read_bytes(), ImageFacts.of(path), "image")
    assert_same_place(label.spine, files.spine())
    stage.close()


@pytest.mark.parametrize("case", ["CR, both, no orientation", "DX, ImagerPixelSpacing, sagittal", "PNG", "NIfTI"])
def test_a_click_lands_on_the_pixel_under_it_also_in_a_flipped_view(shared_world, tmp_path, case):
    path = CASES[case](tmp_path)
    stage = shared_world.stage()
    image = stage.load(path, "image")
    stage.landmarks.show(files.spine())
    seen = {}
    for flipped in (False, True):
        stage.view.set_flipped(flipped)
        shared_world.render()
        x, y = shared_world.to_display(stage.landmarks.position("L3-SA"))
        seen[flipped] = x
        stage.landmarks.place("L3-SA")
        shared_world.click(x + 7, y + 5)
        corner = stage.landmarks.spine()["L3"]["SA"]
        ras = np.array(shared_world.to_ras(x + 7, y + 5)) * (-1, -1, 1)
        np.testing.assert_allclose(corner.xy, image.geometry.to_pixels(ras)[0], atol=TOLERANCE_PX)
        # Up in the view is up in the image, and right is right unless the view is flipped.
        moved = corner.xy - files.spine()["L3"]["SA"].xy
        assert moved[1] < 0
        assert (moved[0] < 0) == flipped
        received = check_label(submitted(stage), ImageFacts.of(path), "image").spine
        np.testing.assert_allclose(received["L3"]["SA"].xy, corner.xy, atol=TOLERANCE_PX)
        stage.landmarks.undo()
        assert_same_place(stage.landmarks.spine(), files.spine())
    assert abs(seen[False] + seen[True] - shared_world.width) <= 2, "the view is mirrored about its middle"
    stage.close()


@pytest.mark.parametrize("case", ["DX, both, sagittal", "PNG", "NIfTI"])
def test_a_parent_transform_moves_image_and_landmarks_together(world, tmp_path, case):
    path = CASES[case](tmp_path)
    stage = world.stage()
    image = stage.load(path, "image")
    volume = world.scene.GetNodeByID(image.volume_id)
    stage.landmarks.show(files.spine())
    volume.SetAndObserveTransformNodeID(parent_transform(world).GetID())
    stage.view.fit()

    if case != "NIfTI":
        corner = files.spine()["L3"]["SA"].xy
        np.testing.assert_allclose(stage.landmarks.position("L3-SA"), world_position(volume, corner), atol=1e-6)
    assert_same_place(check_label(submitted(stage), ImageFacts.of(path), "image").spine, files.spine())
    world.render()
    start = world.to_display(stage.landmarks.position("L3-SA"))
    world.drag(start, (start[0] + 12, start[1] - 6))
    moved = stage.landmarks.spine()["L3"]["SA"].xy - files.spine()["L3"]["SA"].xy
    scale = moved[0] / 12
    np.testing.assert_allclose(moved, [12 * scale, 6 * scale * (1 if case == "PNG" else 0.5)], rtol=0.25)
    assert scale > 0
    stage.close()


@pytest.mark.parametrize("case", ["DX, PixelSpacing, no orientation", "DX, both, sagittal", "PNG", "NIfTI"])
@pytest.mark.parametrize("transformed", [False, True])
def test_a_saved_and_loaded_scene_has_every_landmark_at_its_pixel(tmp_path, case, transformed):
    path = CASES[case](tmp_path)
    with MrmlScene(320, 480) as world:
        stage = world.stage()
        image = stage.load(path, "image")
        if transformed:
            volume = world.scene.GetNodeByID(image.volume_id)
            volume.SetAndObserveTransformNodeID(parent_transform(world).GetID())
        stage.landmarks.show(files.spine())
        where = stage.landmarks.position("L5-IP")
        world.save(tmp_path / "scene")
        stage.close()
    with MrmlScene(320, 480) as world:
        world.open(tmp_path / "scene")
        stage = world.stage()
        image = stage.adopt(world.scene.GetFirstNodeByName("image").GetID())
        assert_same_place(stage.landmarks.spine(), files.spine())
        np.testing.assert_allclose(stage.landmarks.position("L5-IP"), where, atol=1e-6)
        assert_same_place(check_label(submitted(stage), ImageFacts.of(path), "image").spine, files.spine())
        stage.close()
