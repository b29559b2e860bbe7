"""Which extra of the installation brings a package."""

from __future__ import annotations

#: Packages as they are imported, by the extra of pyproject.toml that brings them.
PACKAGES: dict[str, tuple[str, ...]] = {
    "imaging": ("pydicom", "pylibjpeg", "PIL", "tifffile", "SimpleITK"),
    "network": ("torch", "torchvision", "timm", "safetensors"),
    "cli": ("typer", "rich", "pandas", "matplotlib", "pyarrow", "filelock"),
    "runtimes": ("onnx", "onnxruntime", "openvino", "nncf"),
    "study": ("ignite", "tensorboard", "sklearn", "statsmodels"),
    "dicom": ("highdicom", "pynetdicom", "dicomweb_client", "requests"),
    "server": ("monailabel", "httpx", "prometheus_client", "psutil"),
    "ray": ("ray",),
}


def remedy_for(package: str) -> str:
    """What to do about a package that is not installed, without a final full stop."""
    extra = next((extra for extra, packages in PACKAGES.items() if package in packages), "all")
    return f"Install it with: pip install 'vertenet[{extra}]'"
