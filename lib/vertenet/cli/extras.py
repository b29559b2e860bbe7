"""Which extra of the installation brings a package."""

from __future__ import annotations

#: Packages as they are imported, by the extra of setup.py that brings them.
PACKAGES: dict[str, tuple[str, ...]] = {
    "imaging": ("pydicom", "pylibjpeg", "PIL", "tifffile", "SimpleITK"),
    "network": ("torch", "torchvision", "timm", "safetensors", "monai"),
    "cli": ("typer", "rich", "pandas", "matplotlib"),
    "runtimes": ("onnx", "onnxruntime", "openvino", "nncf"),
    "study": ("ignite", "tensorboard", "sklearn", "statsmodels", "jinja2"),
    "server": ("monailabel", "highdicom", "pynetdicom", "httpx", "filelock", "prometheus_client", "psutil"),
}


def remedy_for(package: str) -> str:
    """What to do about a package that is not installed, without a final full stop."""
    extra = next((extra for extra, packages in PACKAGES.items() if package in packages), "all")
    return f"Install it with: pip install 'vertenet[{extra}]'"
