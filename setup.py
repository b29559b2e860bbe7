"""Packaging of the core library; the MONAI Label app and the Slicer module are used from their folders."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

# The light base is what 3D Slicer embeds. Every pin below was needed: see docs/development.md.
IMAGING = [
    "pydicom>=2.4,<3",  # MONAI Label 0.8.5's pydicom-seg cannot import with pydicom 3
    "pylibjpeg>=2",
    "pylibjpeg-libjpeg>=2",
    "pylibjpeg-openjpeg>=2",
    "pillow>=10",
    "tifffile",
    "SimpleITK>=2.3",
]
NETWORK = ["torch>=2.8", "torchvision>=0.23", "timm>=1.0.9", "safetensors>=0.4", "monai>=1.4"]
CLI = ["typer>=0.12", "rich>=13", "pandas>=2", "matplotlib>=3.8"]
# Training and evidence.
STUDY = ["pytorch-ignite>=0.5", "tensorboard>=2.15", "scikit-learn>=1.3", "statsmodels>=0.14", "jinja2>=3"]
# What reads images faster than torch: each is passed over where it is missing. onnx writes the graphs of all.
RUNTIMES = ["onnx>=1.16", "onnxruntime>=1.18", "openvino>=2025", "nncf>=2.16"]
SERVER = [
    "monailabel==0.8.5",
    "highdicom<0.23",
    "pynetdicom<3",
    "dicomweb-client<0.60",
    "httpx>=0.27",
    "filelock>=3.12",
    "prometheus-client>=0.20",
    "psutil>=5.9",
]
DEV = [
    "pytest>=8",
    "pytest-timeout",
    "hypothesis>=6.100",
    "jsonschema>=3.2",
    "schemathesis>=4",
    "cryptography>=42",
    "ruff>=0.6",
    # One runtime beside torch, so that agreement with it is tested.
    "onnx>=1.16",
    "onnxruntime>=1.18",
    # The Slicer module's tests: real MRML without the application, and Qt for its panels.
    "slicer-core==5.13.31053.0",
    "PySide6-Essentials>=6.7",
]
ALL = IMAGING + NETWORK + CLI + STUDY + SERVER

setup(
    name="vertenet",
    version="0.1.0",
    description="Vertebral landmarks, AAC-24 guides and aorta crop warnings on lateral spine DXA images",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    package_dir={"": "lib"},
    packages=find_packages("lib"),
    package_data={"vertenet": ["schemas/*.json", "learning/recipes/*.json"]},
    python_requires=">=3.9",  # the light base, which 3D Slicer embeds; the extras together: those listed below
    install_requires=["numpy>=1.23", "scipy>=1.9"],
    extras_require={
        "imaging": IMAGING,
        "network": NETWORK,
        "cli": CLI,
        "runtimes": RUNTIMES,
        "study": STUDY,
        "server": SERVER,
        "all": ALL,
        "dev": ALL + DEV,
    },
    entry_points={"console_scripts": ["vertenet=vertenet.cli:main"]},
    classifiers=[
        "Intended Audience :: Healthcare Industry",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Medical Science Apps.",
    ],
)
