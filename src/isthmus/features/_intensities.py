"""What intensities must be before anything is counted from them."""

from __future__ import annotations

from isthmus.errors import ImageReadError

__all__ = ["LARGEST", "check_intensities"]

LARGEST = 1e75  # sums of ten million fourth powers still fit into a double


def check_intensities(not_finite: int, voxels: int, minimum: float, maximum: float, where: str = "") -> None:
    """Refuse intensities that are no numbers, or whose moments would not be.

    Parameters
    ----------
    not_finite, voxels : int
        How many voxels are NaN or infinite, of how many.
    minimum, maximum : float
        Of the finite ones.
    where : str
        Said after "voxels": " of region 'x'".

    Raises
    ------
    ImageReadError
    """
    if not_finite:
        raise ImageReadError(
            f"{not_finite} of {voxels} voxels{where} are NaN or infinite. Repair the image or the mask"
        )
    if max(-minimum, maximum) > LARGEST:
        raise ImageReadError(
            f"intensities from {minimum:g} to {maximum:g}: at most {LARGEST:g} has a variance in double precision. "
            "Is the file read as the right type? Otherwise rescale the image"
        )
