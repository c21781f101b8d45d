"""A neck at the height of the thyroid, in Hounsfield units, different in every patient.

Coordinates are millimetres from the middle of the neck: z upwards, y backwards, x to the patient's left. Structures are
tubes and ellipsoids with soft edges, painted one over the other from the skin inwards; a smooth random displacement of
the coordinates and random sizes and places keep two patients from looking alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.synthetic.fields import Axes, Volume, smooth_field
from isthmus.synthetic.lesion import Lesion, render_lesion, trachea_shift_mm

__all__ = ["TRACHEA_WALL_MM", "Anatomy", "anatomy_axes", "render_anatomy"]

AIR, FAT, MUSCLE, SKIN = -1000.0, -100.0, 62.0, 30.0
VERTEBRAE = ("vertebra_c5", "vertebra_c6", "vertebra_c7", "vertebra_t1")
TRACHEA_WALL_MM = 11.0
"""Outer radius of the trachea, before the patient's own scale."""


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """Hounsfield units, and the share of every voxel that is lesion or thyroid gland around it, (k, j, i) on `axes`; where asked for, that
    of every other structure by name."""

    hu: Volume
    lesion: Volume
    gland: Volume
    axes: Axes
    context: dict[str, Volume] = field(default_factory=dict)


def anatomy_axes(half_height_mm: float = 33.0) -> Axes:
    """The grid anatomies are drawn on: 1 mm, a little larger than any scanner's field."""
    z = np.arange(-half_height_mm, half_height_mm + 1.0, 1.0, dtype=np.float32)
    x = np.arange(-62.0, 63.0, 1.0, dtype=np.float32)
    return z, x.copy(), x.copy()


def render_anatomy(
    lesion: Lesion,
    rng: np.random.Generator,
    *,
    age_years: float = 50.0,
    half_height_mm: float = 33.0,
    axes: Axes | None = None,
    context: bool = False,
) -> Anatomy:
    """The neck of one patient with its lesion.

    Parameters
    ----------
    lesion : Lesion
    rng : Generator
    age_years : float
        Older vessels have calcified walls, older bone is thinner.
    half_height_mm : float
        The neck is drawn from this far below the middle to this far above it; more for lesions that are longer.
    axes : tuple of 3 arrays, optional
        The part of the neck to draw instead (a part is another drawing than the same part of the whole).
    context : bool
        Draw clavicles too, and say where trachea, carotids, vertebrae and clavicles are.
    """
    canvas = _Canvas.blank(rng, anatomy_axes(half_height_mm) if axes is None else axes)
    canvas.context = {} if context else None
    push = _Push(lesion, canvas.axes[0])
    _paint_body(canvas, rng)
    _paint_spine(canvas, rng, age_years)
    _paint_deep_muscles(canvas, rng)
    _paint_oesophagus(canvas, rng, push)
    canvas.start_cover()
    _paint_thyroid(canvas, rng, lesion, push)
    gland = canvas.cover.copy()
    canvas.start_cover()
    _paint_superficial_muscles(canvas, rng, push)
    share = _paint_lesion(canvas, rng, lesion)
    gland *= 1.0 - canvas.cover
    canvas.start_cover()
    _paint_vessels(canvas, rng, push, age_years)
    _paint_airway(canvas, rng, push)
    if context:
        _paint_clavicles(canvas, rng)
    share *= 1.0 - canvas.cover
    gland *= 1.0 - canvas.cover
    return Anatomy(hu=canvas.hu, lesion=share, gland=gland, axes=canvas.axes, context=canvas.context or {})


@dataclass(slots=True, eq=False)
class _Canvas:
    """The volume being painted, with each patient's displaced coordinates."""

    axes: Axes
    hu: Volume
    x: Volume
    y: Volume
    grain: Volume
    cover: Volume
    context: dict[str, Volume] | None = None

    @classmethod
    def blank(cls, rng: np.random.Generator, axes: Axes) -> _Canvas:
        shape = tuple(len(axis) for axis in axes)
        x = axes[2][None, None, :] + 1.3 * smooth_field(rng, axes, 16.0)
        y = axes[1][None, :, None] + 1.3 * smooth_field(rng, axes, 16.0)
        hu, cover = np.full(shape, AIR, np.float32), np.zeros(shape, np.float32)
        return cls(axes=axes, hu=hu, x=x, y=y, grain=smooth_field(rng, axes, 1.6), cover=cover)

    @property
    def z(self) -> NDArray[np.float32]:
        return self.axes[0]

    def start_cover(self) -> None:
        """From here on, remember what is painted over."""
        self.cover[:] = 0.0

    def note(self, name: str, box: Any, share: Volume) -> None:
        """Remember where a structure was painted, if anybody asks."""
        if self.context is not None and share.size:
            whole = self.context.setdefault(name, np.zeros_like(self.hu))
            whole[box] = np.maximum(whole[box], share)

    def paint(self, box: Any, share: Volume, hu: Any, grain_hu: float = 0.0) -> None:
        """Blend tissue of value `hu` into the part `box`, `share` (0 to 1) of each voxel."""
        value = hu + grain_hu * self.grain[box] if grain_hu else hu
        self.hu[box] += share * (value - self.hu[box])
        self.cover[box] = np.maximum(self.cover[box], share)

    def tube(self, x: Any, y: Any, half_x: Any, half_y: Any, turn_deg: float = 0.0, power: float = 2.0) -> Any:
        """Box and signed depth (mm, positive inside) of an upright tube; every argument may vary with z."""
        n = len(self.z)
        x, y, half_x, half_y = (np.broadcast_to(np.asarray(v, np.float32), n) for v in (x, y, half_x, half_y))
        seen = np.flatnonzero((half_x > 0.1) & (half_y > 0.1))
        if len(seen) == 0:
            return (slice(0, 0),) * 3, np.zeros((0, 0, 0), np.float32)
        reach = np.maximum(half_x, half_y) + 6.0
        box = (
            slice(int(seen[0]), int(seen[-1]) + 1),
            _span(self.axes[1], float(np.min((y - reach)[seen])), float(np.max((y + reach)[seen]))),
            _span(self.axes[2], float(np.min((x - reach)[seen])), float(np.max((x + reach)[seen]))),
        )
        k = box[0]
        x, y, half_x, half_y = (v[k, None, None] for v in (x, y, np.maximum(half_x, 0.1), np.maximum(half_y, 0.1)))
        d_x, d_y = self.x[box] - x, self.y[box] - y
        if turn_deg:
            c, s = np.float32(np.cos(np.deg2rad(turn_deg))), np.float32(np.sin(np.deg2rad(turn_deg)))
            d_x, d_y = c * d_x + s * d_y, c * d_y - s * d_x
        radius = _radius(d_x / half_x, d_y / half_y, power)
        return box, (1.0 - radius) * np.minimum(half_x, half_y)


@dataclass(slots=True, eq=False)
class _Push:
    """How a large lesion displaces its neighbours: the vessels outwards, the trachea to the other side."""

    side: int
    lateral_mm: NDArray[np.float32]
    trachea_mm: NDArray[np.float32]

    def __init__(self, lesion: Lesion, z: NDArray[np.float32]) -> None:
        z_mid, _, x_mid = lesion.centre_mm
        half_z, _, half_x = lesion.half_axes_mm
        near = np.exp(-0.5 * ((z - z_mid) / (0.9 * half_z + 3.0)) ** 2).astype(np.float32)
        swell = 1.0 + 1.5 * lesion.irregularity
        self.side = lesion.side
        self.lateral_mm = max(0.0, abs(x_mid) + half_x * swell - 22.5) * near
        self.trachea_mm = -self.side * trachea_shift_mm(half_x) * near

    def on(self, side: int) -> NDArray[np.float32]:
        """Displacement outwards on that side, millimetres per slice."""
        return self.lateral_mm if side == self.side else 0.0 * self.lateral_mm


def _span(axis: NDArray[np.float32], low: float, high: float) -> slice:
    first, last = np.searchsorted(axis, [low, high])
    return slice(int(first), int(last))


def _radius(u: Volume, v: Volume, power: float) -> Volume:
    """Distance from the middle in units of the outline: an ellipse for power 2, squarer above."""
    if power == 2.0:
        return np.asarray(np.sqrt(u * u + v * v), dtype=np.float32)
    return np.asarray((np.abs(u) ** power + np.abs(v) ** power) ** (1.0 / power), dtype=np.float32)


def _inside(depth_mm: Volume, soft_mm: float = 1.0) -> Volume:
    """Share of the voxel inside a surface; the edge is `soft_mm` wide."""
    return np.clip(0.5 + depth_mm / soft_mm, 0.0, 1.0)


def _capped(z: NDArray[np.float32], middle: float, half: float) -> NDArray[np.float32]:
    """Factor that makes a tube an ellipsoid between `middle - half` and `middle + half`."""
    return np.sqrt(np.clip(1.0 - ((z - middle) / half) ** 2, 0.0, None)).astype(np.float32)


def _paint_body(canvas: _Canvas, rng: np.random.Generator) -> None:
    """Skin, subcutaneous fat, and the fatty bed in which everything lies."""
    lower = np.clip(-canvas.z, 0, None) / 33.0  # the neck widens towards the shoulders
    half_x = 53.0 + rng.normal(0, 1.8) + 3.0 * lower
    half_y = 50.5 + rng.normal(0, 1.5) + 1.5 * lower
    box, depth = canvas.tube(0.0, 0.0, half_x, half_y, power=2.3)
    canvas.paint(box, _inside(depth), SKIN, 8.0)
    canvas.paint(box, _inside(depth - 1.8), FAT, 9.0)
    fat_mm = rng.uniform(4.5, 7.5)  # platysma and the investing fascia: a thin line under the fat
    for under, value in ((fat_mm, -20.0), (fat_mm + 1.2, FAT + 8.0)):
        canvas.paint(box, _inside(depth - under), value, 9.0)


def _paint_spine(canvas: _Canvas, rng: np.random.Generator, age_years: float) -> None:
    """Vertebral bodies with discs, arch and spinous process, canal with cord."""
    z = canvas.z
    offset = rng.uniform(0, 17.0)
    rise = np.mod(z + offset, 17.0)  # one vertebra and its disc
    is_disc = rise < 4.0
    marrow = 250.0 - 1.6 * (age_years - 50.0) + rng.normal(0, 20.0)
    x, y = rng.normal(0, 0.5), 9.0 + rng.normal(0, 1.0)
    arch = np.where((rise > 5.0) & (rise < 15.0), 1.0, 0.0)
    for side in (-1, 1):  # transverse processes, articular masses, laminae
        _bone(canvas, canvas.tube(x + side * 17.0, y + 6.0, 8.5 * arch, 4.5 * arch, side * 28.0), marrow)
        _bone(canvas, canvas.tube(x + side * 13.5, y + 14.0, 6.0, 6.0), marrow)
        _bone(canvas, canvas.tube(x + side * 6.5, y + 24.5, 8.5 * arch, 3.0 * arch, -side * 35.0), marrow)
    _bone(canvas, canvas.tube(x, y + 33.5, 2.8 * arch, 8.5 * arch), marrow)
    waist = 1.0 - 0.09 * np.sin(np.pi * np.clip((rise - 4.0) / 13.0, 0, 1))
    box, depth = canvas.tube(x, y, 13.5 * waist, 9.5 * waist, power=2.6)
    disc = is_disc[box[0], None, None]
    plate = ((rise < 5.2) | (rise > 16.2))[box[0], None, None]
    marrow_texture = marrow + 45.0 * canvas.grain[box]
    cortex = np.where(disc, 95.0, 620.0)
    core = np.where(disc, 85.0 + 8.0 * canvas.grain[box], np.where(plate, 520.0, marrow_texture))
    canvas.paint(box, _inside(depth), cortex)
    canvas.paint(box, _inside(depth - 1.5), core)
    level = np.clip(1 - np.floor((z + offset) / 17.0), 0, len(VERTEBRAE) - 1)[box[0], None, None]
    for number, name in enumerate(VERTEBRAE):  # the middle of the neck lies in C6
        canvas.note(name, box, _inside(depth) * ((level == number) & ~disc))
    for half_x, half_y, value in ((9.5, 7.5, -10.0), (8.5, 6.6, 12.0), (5.6, 3.9, 42.0)):  # fat, fluid, cord
        box, depth = canvas.tube(x, y + 15.5, half_x, half_y)
        canvas.paint(box, _inside(depth), value, 3.0)
    for side in (-1, 1):  # vertebral arteries in their foramina
        box, depth = canvas.tube(x + side * 15.5, y + 4.5, 2.9, 2.9)
        canvas.paint(box, _inside(depth), 0.0)
        canvas.paint(box, _inside(depth - 1.0), 230.0, 4.0)


def _bone(canvas: _Canvas, tube: Any, marrow: float) -> None:
    box, depth = tube
    if depth.size == 0:
        return
    canvas.paint(box, _inside(depth), 560.0)
    canvas.paint(box, _inside(depth - 1.5), marrow + 90.0, 40.0)


def _muscle(canvas: _Canvas, tube: Any, value: float = MUSCLE, streaks: float = 9.0) -> None:
    box, depth = tube
    if depth.size:
        canvas.paint(box, _inside(depth), value, streaks)


def _paint_deep_muscles(canvas: _Canvas, rng: np.random.Generator) -> None:
    """The muscles behind and beside the spine."""
    size = rng.normal(1.0, 0.05)
    back = 1.15 * size
    for side in (-1, 1):
        _muscle(canvas, canvas.tube(side * 9.0, -4.0, 7.0 * size, 3.2 * size, side * 12.0))  # longus colli
        _muscle(canvas, canvas.tube(side * 27.5, 5.0, 6.0 * size, 5.5 * size, side * 25.0))  # scalenes
        _muscle(canvas, canvas.tube(side * 33.5, 13.0, 6.5 * back, 5.0 * back, side * 35.0))
        _muscle(canvas, canvas.tube(side * 37.5, 22.5, 6.5 * back, 4.2 * back, side * 50.0))  # levator scapulae
        _muscle(canvas, canvas.tube(side * 9.5, 34.0, 6.5 * back, 6.0 * back, -side * 20.0))  # multifidus
        _muscle(canvas, canvas.tube(side * 21.5, 29.0, 6.5 * back, 6.0 * back, side * 15.0))  # semispinalis
        _muscle(canvas, canvas.tube(side * 24.5, 36.5, 9.5 * back, 2.6 * back, -side * 26.0))  # splenius
        _muscle(canvas, canvas.tube(side * 19.0, 42.0, 17.0 * back, 2.2 * back, -side * 21.0))  # trapezius


def _paint_oesophagus(canvas: _Canvas, rng: np.random.Generator, push: _Push) -> None:
    x = 4.0 + rng.normal(0, 1.0) + 0.6 * push.trachea_mm
    box, depth = canvas.tube(x, -10.0, 7.0, 4.2)
    canvas.paint(box, _inside(depth), 55.0, 7.0)
    canvas.paint(box, _inside(depth - 2.2), 30.0, 5.0)
    if rng.uniform() < 0.4:  # swallowed air
        bubble = np.where(np.abs(canvas.z - rng.uniform(-20, 20)) < 9.0, 1.3, 0.0)
        box, depth = canvas.tube(x, -10.5, 1.4 * bubble, bubble)
        if depth.size:
            canvas.paint(box, _inside(depth), -600.0)


def _paint_thyroid(canvas: _Canvas, rng: np.random.Generator, lesion: Lesion, push: _Push) -> None:
    """Two lobes and the isthmus, bright with iodine; a thin rim of gland is stretched over the lesion."""
    z = canvas.z
    value = rng.normal(165.0, 12.0)
    for side in (-1, 1):
        half_z, middle = rng.normal(24.0, 1.5), rng.normal(0.0, 1.5)
        cap = _capped(z, middle, half_z)
        lean = 0.10 * (z - middle)  # the upper poles lie further back and outwards
        box, depth = canvas.tube(
            side * (16.0 + rng.normal(0, 0.5) + 0.5 * lean) + push.trachea_mm,
            -21.0 + lean + rng.normal(0, 0.5),
            rng.normal(7.6, 0.6) * cap,
            rng.normal(10.5, 0.8) * cap,
            side * 22.0,
        )
        canvas.paint(box, _inside(depth), value, 9.0)
    bridge = _capped(z, rng.normal(-5.0, 1.0), rng.normal(9.0, 1.0))
    box, depth = canvas.tube(push.trachea_mm, -36.0, 15.0, 3.2 * bridge)
    canvas.paint(box, _inside(depth), value, 9.0)
    cap = _capped(z, lesion.centre_mm[0], lesion.half_axes_mm[0] + 2.0)
    box, depth = canvas.tube(
        lesion.centre_mm[2],
        lesion.centre_mm[1],
        (lesion.half_axes_mm[2] + 2.0) * cap,
        (lesion.half_axes_mm[1] + 2.0) * cap,
    )
    canvas.paint(box, _inside(depth), value - 15.0, 9.0)


def _paint_superficial_muscles(canvas: _Canvas, rng: np.random.Generator, push: _Push) -> None:
    """Sternocleidomastoids and the strap muscles in front of the gland."""
    z = canvas.z
    for side in (-1, 1):
        outwards = push.on(side)
        descent = 0.16 * z  # from the mastoid (up, back, outside) to the sternum (down, front, inside)
        x = side * (36.0 + descent + 0.35 * outwards)
        _muscle(canvas, canvas.tube(x, -17.0 + 1.4 * descent, 5.2, 14.0 + rng.normal(0, 0.8), side * -32.0))
        front = -37.5 - 0.35 * outwards
        _muscle(canvas, canvas.tube(side * 11.5, front - 1.5, 8.5, 1.7, side * 14.0))
        _muscle(canvas, canvas.tube(side * (17.0 + 0.3 * outwards), front + 3.0, 9.0, 1.6, side * 30.0))


def _paint_lesion(canvas: _Canvas, rng: np.random.Generator, lesion: Lesion) -> Volume:
    share = np.zeros_like(canvas.hu)
    box, filled, hu = render_lesion(lesion, canvas.axes, rng)
    canvas.paint(box, filled, hu)
    share[box] = filled
    return share


def _paint_vessels(canvas: _Canvas, rng: np.random.Generator, push: _Push, age_years: float) -> None:
    """Carotid arteries, jugular veins, small veins under the skin, a few nodes."""
    z = canvas.z
    arterial, venous = rng.normal(235.0, 15.0), rng.normal(195.0, 15.0)
    for side in (-1, 1):
        outwards = push.on(side)
        x = side * (26.5 + rng.normal(0, 0.7) + np.minimum(outwards, 4.0))
        y = -8.5 + rng.normal(0, 0.7) + 0.04 * z + 0.8 * outwards  # a large lesion pushes them backwards
        vein_x, vein_y = x + side * rng.normal(7.8, 0.4), y - rng.normal(3.5, 0.8)
        wide = rng.uniform(3.6, 6.2) * np.exp(-0.03 * outwards)  # rarely equal, and flattened by a lesion
        box, depth = canvas.tube(vein_x, vein_y, wide, 0.8 * wide, side * 30.0)
        canvas.paint(box, _inside(depth), venous, 5.0)
        box, depth = canvas.tube(x, y, 4.2, 4.2)
        canvas.paint(box, _inside(depth), 45.0)
        canvas.note(f"carotid_{'left' if side == 1 else 'right'}", box, _inside(depth))
        canvas.paint(box, _inside(depth - 0.9), arterial, 4.0)
        if rng.uniform() < (age_years - 45.0) / 50.0:
            plaque = _capped(z, rng.uniform(-15, 15), rng.uniform(2.0, 4.0))
            box, depth = canvas.tube(
                x + 3.0 * np.cos(angle := rng.uniform(0, 6.28)), y + 3.0 * np.sin(angle), plaque, plaque
            )
            if depth.size:
                canvas.paint(box, _inside(depth), 650.0)
        box, depth = canvas.tube(side * (9.0 + rng.uniform(0, 6)), -44.0 + rng.normal(0, 0.4), 1.2, 1.0)
        canvas.paint(box, _inside(depth), venous)
        box, depth = canvas.tube(side * 45.0, -2.0 + rng.normal(0, 3.0), 1.3, 1.8)
        canvas.paint(box, _inside(depth), venous)
        for _ in range(rng.poisson(1.5)):
            cap = _capped(z, rng.uniform(-20, 20), rng.uniform(3.0, 5.0))
            box, depth = canvas.tube(
                vein_x + side * rng.uniform(3, 5), vein_y + rng.uniform(9, 15), 2.6 * cap, 2.0 * cap
            )
            if depth.size:
                canvas.paint(box, _inside(depth), 85.0, 4.0)


def _paint_airway(canvas: _Canvas, rng: np.random.Generator, push: _Push) -> None:
    """The trachea: cartilage in front, a flat membrane behind, air inside."""
    z = canvas.z
    scale = rng.normal(1.0, 0.04)
    outer = TRACHEA_WALL_MM * scale
    x, y = rng.normal(0, 0.6) + push.trachea_mm, -23.5 + 0.03 * z
    squeeze = 1.0 - 0.012 * np.abs(push.trachea_mm)
    box, depth = canvas.tube(x, y, outer * squeeze, outer, power=2.2)
    y_box = canvas.y[box] - np.broadcast_to(y, len(z))[box[0], None, None]
    membrane_mm = (0.68 * outer) - y_box  # flat towards the oesophagus
    wall = np.minimum(depth, membrane_mm)
    ring = 0.5 + 0.5 * np.sin(2 * np.pi * z / 4.5 + rng.uniform(0, 6.28))
    cartilage = np.where(y_box < 0.35 * outer, 95.0 + 55.0 * ring[box[0], None, None], 45.0)
    canvas.paint(box, _inside(wall), cartilage, 8.0)
    canvas.note("trachea", box, _inside(wall))
    canvas.paint(box, _inside(wall - 2.3), AIR)


def _paint_clavicles(canvas: _Canvas, rng: np.random.Generator) -> None:
    """The inner ends of both collar bones, at the lower end of the field, rising outwards."""
    bottom = float(canvas.z[0])
    size = rng.normal(1.0, 0.06)
    for side in (-1, 1):
        height = bottom + 7.0 + rng.normal(0, 1.0)
        cap = _capped(canvas.z, height, 6.0 * size)
        box, depth = canvas.tube(side * 26.0, -36.0, 17.0 * size * cap, 5.0 * size * cap, side * 12.0)
        if depth.size:
            canvas.paint(box, _inside(depth), 520.0, 20.0)
            canvas.paint(box, _inside(depth - 1.6), 210.0, 25.0)
            canvas.note(f"clavicle_{'left' if side == 1 else 'right'}", box, _inside(depth))
