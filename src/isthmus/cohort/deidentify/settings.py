"""What a de-identification keeps and how it treats dates and pixels."""

from __future__ import annotations

from typing import Literal

from isthmus.settings import Section

__all__ = ["BurntIn", "Dates", "Keep", "Settings"]

Dates = Literal["shift", "remove"]
Keep = Literal["patient", "device"]
BurntIn = Literal["auto", "all", "none"]


class Settings(Section):
    """Choices beside the basic profile.

    Parameters
    ----------
    dates : {"shift", "remove"}
        `shift`: all dates of one patient move by one number of days (1 to 3650 into the past), times of day stay, so that intervals and
        the decay correction
        of PET survive. `remove`: as the basic profile alone asks. The birth date goes either way.
    keep : set of {"patient", "device"}
        `patient`: sex, age (above 89 as 90), height, weight, which SUV needs; `device`: station name, serial numbers.
    burnt_in : {"auto", "all", "none"}
        Where writing in the pixels is looked for and masked: in ultrasound, secondary captures, photographs, pictures and wherever a
        header says
        BurnedInAnnotation YES (`auto`); in every two-dimensional image; nowhere (files that say YES are then refused).
    """

    dates: Dates = "shift"
    keep: frozenset[Keep] = frozenset()
    burnt_in: BurntIn = "auto"
