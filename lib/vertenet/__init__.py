"""VerteNet: vertebral landmarks, AAC-24 guides and aorta crop warnings on lateral spine DXA images.

Importing this package needs NumPy and SciPy only; the rooms that need more (`imaging`, `networks`, `inference`,
`learning`) import it themselves.
"""

__version__ = "0.1.0"

#: Goes with every reading, weight file and report.
RESEARCH_USE = "Research use only. Not a medical device; not for diagnosis."
