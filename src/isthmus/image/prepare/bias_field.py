"""N4 bias field correction: the slow change of brightness across an MR image, divided out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import CaseError
from isthmus.image.image import Image
from isthmus.image.io.simpleitk import load_sitk, quiet, to_sitk_parts
from isthmus.image.prepare.foreground import foreground
from isthmus.image.prepare.settings import BiasFieldSettings

__all__ = ["correct_bias_field"]


def correct_bias_field(image: Image, settings: BiasFieldSettings) -> NDArray[np.float32]:
    """The image divided by its bias field, float32.

    The field is estimated on the foreground of a shrunken copy and evaluated on every voxel; one thread, so that the same image
    always gives the same numbers.

    References
    ----------
    Tustison et al., IEEE TMI 29:1310-1320, 2010 (ITK's implementation).
    """
    if float(image.values.min()) < 0:
        raise CaseError(
            f"N4 works on the logarithm, and the smallest intensity is {float(image.values.min()):g}. "
            "It is for MR images as the scanner gives them; correct the field before any standardisation"
        )
    sitk = load_sitk()
    inside = foreground(image.values)
    full = to_sitk_parts(image.values.astype(np.float32), image.geometry)
    mask = to_sitk_parts(inside.astype(np.uint8), image.geometry)
    shrink = [min(settings.shrink, max(size // 8, 1)) for size in full.GetSize()]
    corrector = sitk.N4BiasFieldCorrectionImageFilter()
    corrector.SetMaximumNumberOfIterations([int(n) for n in settings.iterations])
    corrector.SetConvergenceThreshold(settings.convergence)
    corrector.SetNumberOfThreads(1)
    small, small_mask = sitk.Shrink(full, shrink), sitk.Shrink(mask, shrink)
    # N4's spline needs four samples along every axis; thin stacks are repeated at their edges
    missing = [max(0, 4 - size) for size in small.GetSize()]
    if any(missing):
        small = sitk.ZeroFluxNeumannPad(small, [0, 0, 0], missing)
        small_mask = sitk.ZeroFluxNeumannPad(small_mask, [0, 0, 0], missing)
    with quiet():
        try:
            corrector.Execute(small, small_mask)
        except RuntimeError as error:
            raise CaseError(f"N4 failed: {str(error).strip().splitlines()[-1]}") from error
        field: NDArray[Any] = sitk.GetArrayFromImage(corrector.GetLogBiasFieldAsImage(full))
    result: NDArray[np.float32] = (image.values / np.exp(field)).astype(np.float32)
    return result
