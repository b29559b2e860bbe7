"""How well readers agree, what guides change, and how many images it takes to know."""

from .readings import Readings, read_readings
from .study import AgreementStudy, study_agreement

__all__ = ["AgreementStudy", "Readings", "read_readings", "study_agreement"]
