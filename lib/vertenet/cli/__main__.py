"""``python -m vertenet.cli``."""

from . import main

main()
