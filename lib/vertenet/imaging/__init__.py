"""Image files to `Radiograph`: DICOM, PNG/JPEG/TIFF, NIfTI/NRRD/MetaImage; and the normalised frame.

The parsers (pydicom, Pillow, SimpleITK: ``pip install vertenet[imaging]``) are imported when a file needs them.
"""

from .folder import ImageFolder
from .frame import NORMALISED_SIZE, Frame
from .read import read

__all__ = ["NORMALISED_SIZE", "Frame", "ImageFolder", "read"]
