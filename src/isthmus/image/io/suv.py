"""From what a PET scanner stores to the standardised uptake value by body weight, SUVbw in g/ml.

    SUVbw = activity concentration [Bq/ml] x weight [g] / dose [Bq]

with activity and dose at one time: the dose decays from the injection to the time to which the scanner corrected the image. That
the header is complete and believable is checked here, because a wrong SUV looks like a right one.

References
----------
QIBA Profile: FDG-PET/CT as an imaging biomarker, 2016, appendix on SUV from DICOM; DICOM PS3.3, C.8.9.1 (PET series and image).
"""

from __future__ import annotations

import datetime
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError, IsthmusWarning

__all__ = ["Uptake", "is_pet", "uptake"]

TYPES = {"GML": "SUVbw", "CM2ML": "SUVbsa"}  # units that are SUV already, where SUVType does not say which
MOST_HALF_LIVES = 10  # between injection and scan; beyond that nothing is left to see
PHILIPS = 0x7053
PHILIPS_SUV, PHILIPS_ACTIVITY = 0x1000, 0x1009
GE, GE_SCAN_START = 0x0009, 0x100D

Time = datetime.datetime
_TAGS: list[Any] = [
    "Units", "SUVType", "DecayCorrection", "CorrectedImage", "PatientWeight", "SeriesDate", "SeriesTime", "AcquisitionDate",
    "AcquisitionTime", "FrameReferenceTime", "ActualFrameDuration", "RadiopharmaceuticalInformationSequence",
    (PHILIPS, 0x0010), (PHILIPS, PHILIPS_SUV), (PHILIPS, PHILIPS_ACTIVITY), (GE, 0x0010), (GE, GE_SCAN_START),
]  # fmt: skip


@dataclass(frozen=True)
class Uptake:
    """How a PET series becomes SUV.

    Parameters
    ----------
    factors : array, shape (k,)
        By which each slice is multiplied.
    quantity : str
        "SUVbw", or what the scanner already made of it.
    facts : dict
        Dose, times, weight and factor, for the acquisition table.
    """

    factors: NDArray[np.float64]
    quantity: str
    facts: dict[str, Any]

    def applied(self, values: NDArray[Any]) -> NDArray[Any]:
        """The SUV of values (k, j, i)."""
        return values if (self.factors == 1).all() else values * self.factors[:, None, None]


def is_pet(header: Any) -> bool:
    return bool(header.get("Modality") == "PT")


def uptake(files: tuple[Path, ...], source: str) -> Uptake:
    """How the slices of a PET series become SUV.

    Raises
    ------
    ImageReadError
        A number is missing or not believable; the message names its tag.
    """
    headers = [_header(file) for file in files]
    units = {str(header.get("Units", "")).strip().upper() for header in headers}
    if len(units) > 1:
        raise ImageReadError(
            f"{source}: PET slices in different Units (0054,1001): {', '.join(sorted(units))}. {_AGAIN}"
        )
    unit = units.pop()
    first = headers[0]
    if unit in TYPES:
        kind = str(first.get("SUVType", "") or "").strip().lower()
        return Uptake(np.ones(len(files)), f"SUV{kind}" if kind else TYPES[unit], {"units": unit})
    if unit == "BQML":
        return _by_dose(headers, source, np.ones(len(files)), unit)
    if unit == "CNTS":
        return _counts(headers, source)
    raise ImageReadError(
        f"{source}: PET in units {unit or 'that Units (0054,1001) does not state'}; SUV can be made of BQML, of CNTS with the scale "
        "factor of Philips, and GML is SUV already. Export the series in BQML or GML"
    )


_AGAIN = "Export the original series again, or convert it to SUV and give a NIfTI file"


def _header(file: Path) -> Any:
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values are met where they are used
        return pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_TAGS)


def _counts(headers: list[Any], source: str) -> Uptake:
    """Counts: Philips says in private tags what they are worth."""
    suv = np.array([_private(header, PHILIPS, PHILIPS_SUV) for header in headers])
    if (suv > 0).all():
        return Uptake(
            suv, "SUVbw", {"units": "CNTS", "suv_factor": float(suv[0]), "suv_by": "Philips SUV scale factor"}
        )
    activity = np.array([_private(header, PHILIPS, PHILIPS_ACTIVITY) for header in headers])
    if (activity > 0).all():
        return _by_dose(headers, source, activity, "CNTS")
    raise ImageReadError(
        f"{source}: PET in counts (CNTS) without the private scale factors of Philips, (7053,1000) and (7053,1009): nothing says how "
        "much activity a count is. They may have been lost in de-identification. Export the series in BQML or GML"
    )


def _private(header: Any, group: int, element: int) -> float:
    """A private number; 0 where it is missing or none."""
    item = header.get((group, element))
    value = item.value if item is not None else 0
    try:
        if isinstance(value, bytes):
            value = value.decode("ascii").strip(" \0")
        number = float(value or 0)
    except (ValueError, TypeError, UnicodeDecodeError):
        return 0.0
    return number if math.isfinite(number) else 0.0


# ------------------------------------------------------------------------------------------------------------ dose


def _by_dose(headers: list[Any], source: str, to_activity: NDArray[np.float64], unit: str) -> Uptake:
    """Activity concentration against injected dose and weight."""
    first = headers[0]
    drugs = first.get("RadiopharmaceuticalInformationSequence") or []
    if not drugs:
        raise ImageReadError(_missing(source, "RadiopharmaceuticalInformationSequence (0054,0016)"))
    drug = drugs[0]
    weight = _number(first, "PatientWeight", "(0010,1030), kg", source, above=0.3, below=650)
    dose = _number(drug, "RadionuclideTotalDose", "(0018,1074), Bq", source, above=1e5, below=1e11)
    half_life = _number(drug, "RadionuclideHalfLife", "(0018,1075), s", source, above=60, below=1e7)
    correction = str(first.get("DecayCorrection", "") or "").strip().upper()
    corrected = [str(part).upper() for part in np.atleast_1d(first.get("CorrectedImage") or [])]
    if corrected and "ATTN" not in corrected:
        raise ImageReadError(
            f"{source}: CorrectedImage (0028,0051) is {', '.join(corrected)}, without ATTN: not corrected for attenuation, so its "
            "numbers are no activity. Take the attenuation-corrected series"
        )
    facts: dict[str, Any] = {"units": unit, "dose_bq": dose, "half_life_s": half_life, "weight_kg": weight}
    drug_name = str(drug.get("Radiopharmaceutical", "") or "").strip()
    if drug_name:
        facts["radiopharmaceutical"] = drug_name
    facts["decay_correction"] = correction
    if correction == "ADMIN":
        decay = np.ones(len(headers))
    elif correction in ("START", "NONE"):
        injected = _injection(drug, headers, source)
        facts["injection_time"] = injected.isoformat(sep=" ")
        if correction == "START":
            scan, by = _scan_start(headers, source)
            facts["scan_start"], facts["scan_start_by"] = scan.isoformat(sep=" "), by
            seconds = _delay(injected, scan, half_life, source)
            facts["uptake_s"] = seconds
            decay = np.full(len(headers), 2.0 ** (seconds / half_life))
        else:
            decay = np.array([_frame_decay(header, injected, half_life, source) for header in headers])
    else:
        raise ImageReadError(
            f"{source}: DecayCorrection (0054,1102) is {correction or 'missing'}; START, ADMIN or NONE was expected, else the time for "
            f"which the activity holds is unknown. {_AGAIN}"
        )
    factors = to_activity * decay * weight * 1000.0 / dose
    facts["suv_factor"] = float(factors[0])
    return Uptake(factors, "SUVbw", facts)


def _missing(source: str, tag: str) -> str:
    return f"{source}: raw PET whose header has no {tag}, which SUV needs; it may have been lost in de-identification. {_AGAIN}"


def _number(item: Any, name: str, tag: str, source: str, *, above: float, below: float) -> float:
    """A number of the header within what can be believed."""
    value = item.get(name)
    if value in (None, ""):
        raise ImageReadError(_missing(source, f"{name} {tag}"))
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not above <= number <= below:
        hint = " Is it in MBq?" if name == "RadionuclideTotalDose" and 1 <= number < above else ""
        raise ImageReadError(
            f"{source}: {name} {tag} is {value}; between {above:g} and {below:g} was expected.{hint} Correct the header, or convert "
            "the series to SUV and give a NIfTI file"
        )
    return number


# ----------------------------------------------------------------------------------------------------------- times


def _time(date: Any, time: Any) -> Time | None:
    """A DICOM date and time of day together; None where one is missing."""
    date, time = str(date or "").strip().replace(".", ""), str(time or "").strip().replace(":", "")
    if len(date) != 8 or not time:
        return None
    whole, _, fraction = time.partition(".")
    try:
        moment = Time.strptime(date + whole.ljust(6, "0"), "%Y%m%d%H%M%S")
        return moment + datetime.timedelta(seconds=float(f"0.{fraction or 0}"))
    except ValueError:
        return None


def _series_time(header: Any) -> Time | None:
    return _time(header.get("SeriesDate"), header.get("SeriesTime"))


def _acquisition_time(header: Any) -> Time | None:
    return _time(header.get("AcquisitionDate") or header.get("SeriesDate"), header.get("AcquisitionTime"))


def _injection(drug: Any, headers: list[Any], source: str) -> Time:
    """When the tracer was injected; a time of day alone is of the scan's day, or of the day before where that would be after it."""
    stamp = str(drug.get("RadiopharmaceuticalStartDateTime", "") or "").strip()
    if len(stamp) >= 12:
        found = _time(stamp[:8], stamp[8:].split("+")[0].split("-")[0])
        if found is not None:
            return found
    time = drug.get("RadiopharmaceuticalStartTime")
    if time in (None, ""):
        raise ImageReadError(
            _missing(
                source, "RadiopharmaceuticalStartDateTime (0018,1078) and no RadiopharmaceuticalStartTime (0018,1072)"
            )
        )
    days = [moment for header in headers for moment in (_acquisition_time(header), _series_time(header)) if moment]
    if not days:
        raise ImageReadError(_missing(source, "AcquisitionDate and AcquisitionTime (0008,0022), (0008,0032)"))
    scan = min(days)
    found = _time(scan.strftime("%Y%m%d"), time)
    if found is None:
        raise ImageReadError(f"{source}: RadiopharmaceuticalStartTime (0018,1072) is {time}, no time of day. {_AGAIN}")
    return found if found <= scan else found - datetime.timedelta(days=1)  # injected before midnight


def _scan_start(headers: list[Any], source: str) -> tuple[Time, str]:
    """The time to which START corrects the decay, and where it was found.

    The series' time is the scan's start unless the series was made later (then it lies behind the acquisition of its slices).
    """
    acquired = [moment for moment in map(_acquisition_time, headers) if moment is not None]
    series = _series_time(headers[0])
    if not acquired:
        raise ImageReadError(_missing(source, "AcquisitionDate and AcquisitionTime (0008,0022), (0008,0032)"))
    if series is not None and series <= min(acquired):
        return series, "SeriesTime"
    private = headers[0].get((GE, GE_SCAN_START))
    if private is not None and str(headers[0].get((GE, 0x0010), "")).find("GEMS_PETD_01") >= 0:
        text = private.value.decode("ascii", "ignore") if isinstance(private.value, bytes) else str(private.value)
        found = _time(text.strip(" \0")[:8], text.strip(" \0")[8:])
        if found is not None:
            return found, "GE scan start (0009,100D)"
    starts = [start for start in map(_start_by_frame, headers) if start is not None]
    if len(starts) == len(headers):
        return min(starts), "FrameReferenceTime"
    warnings.warn(
        f"{source}: the series was made after its slices were acquired, and nothing says when the scan started; the earliest "
        "AcquisitionTime (0008,0032) is taken as its start. With a part of the bed positions SUV would be too high",
        IsthmusWarning,
        stacklevel=2,
    )
    return min(acquired), "AcquisitionTime"


def _start_by_frame(header: Any) -> Time | None:
    """The scan's start from one slice: FrameReferenceTime counts from it to the mean of the frame's activity."""
    acquired, offset = _acquisition_time(header), float(header.get("FrameReferenceTime") or 0) / 1000.0
    drugs = header.get("RadiopharmaceuticalInformationSequence") or []
    duration, half_life = float(header.get("ActualFrameDuration") or 0) / 1000.0, float(drugs[0].RadionuclideHalfLife)
    if acquired is None or offset <= 0 or duration <= 0:
        return None
    rate = math.log(2.0) / half_life
    mean_time = math.log(rate * duration / -math.expm1(-rate * duration)) / rate
    return acquired - datetime.timedelta(seconds=offset - mean_time)


def _delay(injected: Time, scan: Time, half_life: float, source: str) -> float:
    """Seconds from injection to scan, if they can be believed."""
    seconds = (scan - injected).total_seconds()
    if not 0 <= seconds <= MOST_HALF_LIVES * half_life:
        raise ImageReadError(
            f"{source}: the tracer was injected at {injected} and the scan started at {scan}, {seconds / 60:.0f} minutes later; between "
            f"0 and {MOST_HALF_LIVES} half-lives were expected. Were the dates changed in de-identification, or "
            "RadiopharmaceuticalStartDateTime (0018,1078) mistyped? Correct the header"
        )
    return seconds


def _frame_decay(header: Any, injected: Time, half_life: float, source: str) -> float:
    """By how much the activity fell from the injection to its mean during one uncorrected frame."""
    acquired = _acquisition_time(header)
    duration = float(header.get("ActualFrameDuration") or 0) / 1000.0
    if acquired is None or duration <= 0:
        raise ImageReadError(
            _missing(source, "AcquisitionTime (0008,0032) and ActualFrameDuration (0018,1242) of each slice")
        )
    rate = math.log(2.0) / half_life
    within = rate * duration / -math.expm1(-rate * duration)
    return within * 2.0 ** (_delay(injected, acquired, half_life, source) / half_life)
