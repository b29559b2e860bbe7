"""Readings for people: pictures, pages and tables. Needs matplotlib."""

from .gallery import GalleryEntry, write_gallery
from .overlay import draw_overlay
from .tables import RESULT_COLUMNS, results_row, write_results_csv

__all__ = ["RESULT_COLUMNS", "GalleryEntry", "draw_overlay", "results_row", "write_gallery", "write_results_csv"]
