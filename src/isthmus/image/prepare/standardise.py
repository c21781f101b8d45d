"""Intensity standardisation for images without a unit (MR, ultrasound): z-score, white stripe, and a learned standard scale (Nyul)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import CaseError, PlanError
from isthmus.image.image import Image
from isthmus.image.prepare.foreground import foreground

__all__ = ["PERCENTILES", "fit_standard_scale", "nyul", "read_scale", "white_stripe", "write_scale", "z_score"]

PERCENTILES = (1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 99.0)
_SCALE = (0.0, 100.0)  # of the learned standard scale
_FORMAT = "isthmus-standard-scale-1"


def z_score(
    values: NDArray[Any], inside: NDArray[np.bool_], scale: float = 1.0, shift: float = 0.0
) -> NDArray[np.float64]:
    """Mean 0 and standard deviation 1 over the voxels `inside`, times `scale`, plus `shift`.

    Raises
    ------
    CaseError
        These voxels have one value, so no deviation.
    """
    x = values[inside].astype(np.float64)
    mean, deviation = float(x.mean()), float(x.std())
    return _standardised(values, mean, deviation, scale, shift, f"the {x.size} voxels z_score looks at")


def white_stripe(
    values: NDArray[Any], *, stripe: str = "t1", half_width: float = 0.05, scale: float = 1.0, shift: float = 0.0
) -> NDArray[np.float64]:
    """Standardised to the tissue around one peak of the histogram: normal-appearing white matter of a head.

    The foreground's smoothed histogram has a peak per tissue; white matter is the last one on T1 and the largest on T2. Mean and
    deviation are those of the voxels within `half_width` of the distribution on either side of that peak.

    References
    ----------
    Shinohara et al., NeuroImage: Clinical 6:9-19, 2014.
    """
    x = np.sort(values[foreground(values)].astype(np.float64))
    peak = _peak(x, last=stripe == "t1")
    position = np.searchsorted(x, peak) / x.size
    low, high = np.quantile(x, [max(position - half_width, 0), min(position + half_width, 1)])
    inside = x[(x >= low) & (x <= high)]
    return _standardised(
        values, float(inside.mean()), float(inside.std()), scale, shift, f"the stripe {low:g} to {high:g}"
    )


def _standardised(
    values: NDArray[Any], mean: float, deviation: float, scale: float, shift: float, what: str
) -> NDArray[np.float64]:
    if not deviation > 0:
        raise CaseError(f"{what} have one value ({mean:g}); the image cannot be standardised")
    return (values.astype(np.float64) - mean) / deviation * scale + shift


def _peak(x: NDArray[np.float64], *, last: bool) -> float:
    """The last, or the largest, peak of the smoothed histogram of sorted values; small ripples are no peaks."""
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    low, high = np.quantile(x, [0.001, 0.999])
    counts, edges = np.histogram(x, bins=400, range=(low, high if high > low else low + 1))
    spread = max(np.subtract(*np.quantile(x, [0.75, 0.25])) / 1.34, np.finfo(float).tiny)
    width = 0.9 * min(float(x.std()), spread) * x.size ** (-0.2) if spread > 0 else 0.0  # Silverman's rule
    smooth = gaussian_filter1d(counts.astype(np.float64), max(width / (edges[1] - edges[0]), 4.0), mode="constant")
    found, _ = find_peaks(smooth, height=0.1 * smooth.max(), prominence=0.02 * smooth.max())
    chosen = int(np.argmax(smooth)) if not found.size or not last else int(found[-1])
    return float((edges[chosen] + edges[chosen + 1]) / 2)


# ---------------------------------------------------------------------- the learned standard scale


def fit_standard_scale(images: Iterable[Image]) -> tuple[float, ...]:
    """Where the foreground percentiles of typical images lie on the scale from 0 to 100.

    Each image's `PERCENTILES` are mapped so that the first is 0 and the last 100; the scale is the mean over images. No mask and no
    outcome is used, but the images should be development images only: a scale learned from test images is transductive.

    References
    ----------
    Nyul and Udupa, Magnetic Resonance in Medicine 42:1072-1081, 1999; Nyul et al., IEEE TMI 19:143-150, 2000.
    """
    rows = []
    for image in images:
        own = _percentiles(image.values)
        rows.append(_SCALE[0] + (own - own[0]) / (own[-1] - own[0]) * (_SCALE[1] - _SCALE[0]))
    if not rows:
        raise PlanError("a standard scale needs at least one image")
    return tuple(float(v) for v in np.mean(rows, axis=0))


def nyul(values: NDArray[Any], scale: Sequence[float]) -> NDArray[np.float64]:
    """Values moved piecewise linearly so that the foreground's percentiles meet the standard scale; the ends go on straight."""
    own = _percentiles(values)
    target = np.asarray(scale, dtype=np.float64)
    keep = np.concatenate([[True], np.diff(own) > 0])  # equal percentiles have one place
    own, target = own[keep], target[keep]
    x = values.astype(np.float64)
    result: NDArray[np.float64] = np.interp(x, own, target)
    for outside, near, far in ((x < own[0], 0, 1), (x > own[-1], -1, -2)):
        slope = (target[near] - target[far]) / (own[near] - own[far])
        result = np.where(outside, target[near] + (x - own[near]) * slope, result)
    return result


def _percentiles(values: NDArray[Any]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.percentile(values[foreground(values)].astype(np.float64), PERCENTILES)
    if not found[-1] > found[0]:
        raise CaseError(f"the foreground has one value ({found[0]:g}); a standard scale cannot be met")
    return found


def write_scale(scale: Sequence[float], path: Path, images: int) -> None:
    """Write a standard scale as JSON."""
    content = {"format": _FORMAT, "percentiles": PERCENTILES, "scale": list(scale), "images": images}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_scale(path: str | Path) -> tuple[float, ...]:
    """The standard scale of a file that `write_scale` made.

    Raises
    ------
    PlanError
        The file is missing or no such scale.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        scale = tuple(float(v) for v in content["scale"])
        fits = (
            content["format"] == _FORMAT
            and tuple(content["percentiles"]) == PERCENTILES
            and len(scale) == len(PERCENTILES)
        )
    except OSError as error:
        raise PlanError(
            f"landmarks {str(path)!r} cannot be read ({error.strerror}). `isthmus landmarks` writes one"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise PlanError(f"landmarks {str(path)!r}: not a standard scale; `isthmus landmarks` writes one") from error
    if not fits or not bool(np.all(np.diff(scale) > 0)):
        raise PlanError(
            f"landmarks {str(path)!r}: expected {len(PERCENTILES)} ascending numbers, one for each percentile "
            f"{', '.join(f'{p:g}' for p in PERCENTILES)}; `isthmus landmarks` writes such a file"
        )
    return scale
