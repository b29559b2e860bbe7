"""``python -m vertenet``."""

from .cli import main

main()
