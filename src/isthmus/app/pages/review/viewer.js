// NiiVue, as this page uses it: one image whose axes already run right, anterior, superior, a drawing on it, and the proposal as an outline.

/** @typedef {import("@niivue/niivue").Niivue} Niivue */
/** @typedef {import("./drawing.js").Box} Box */

import { middle, rim, unpack } from "./drawing.js";
import { lighten, slowSolid } from "./lighten.js";

const HEADER = 352; // bytes of a NIfTI header, and four of nothing
const VIEWS = ["planes", "axial", "solid"];

/** @returns {any} the library, a plain script */
function library() {
  const found = /** @type {any} */ (globalThis).niivue;
  if (!found) throw new Error("NiiVue, which shows images, is missing: run `make web` in the checkout, or install a wheel that holds it.");
  return found;
}

export class Viewer {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(voxel: number[], value: number) => void} onMove
   * @param {() => void} onStroke after each stroke
   */
  constructor(canvas, onMove, onStroke) {
    const { Niivue, DRAG_MODE, SHOW_RENDER } = library();
    /** @type {Niivue} */
    this.nv = new Niivue({
      isResizeCanvas: true, loadingText: "", backColor: [0, 0, 0, 1], crosshairColor: [0.3, 0.85, 0.4, 0.6], crosshairWidth: 0.4, crosshairGap: 16,
      isRadiologicalConvention: true, dragMode: DRAG_MODE.windowing, multiplanarShowRender: SHOW_RENDER.ALWAYS, isColorbar: false, show3Dcrosshair: true,
      dragAndDropEnabled: false, maxDrawUndoBitmaps: 1, isAlphaClipDark: true, drawFillOverwrites: true,
    });
    lighten(this.nv, () => this.shape);
    this.nv.onLocationChange = place => {
      const { vox, values } = /** @type {any} */ (place);
      this.voxel = Array.from(vox, Math.round);
      onMove(this.voxel, values?.[0]?.value);
    };
    this.nv.onDrawingChanged = action => { if (action === "draw") onStroke(); };
    this.canvas = canvas;
    /** @type {number[]} */ this.voxel = [0, 0, 0];
    /** @type {number[]} */ this.shape = [0, 0, 0];
    this.view = "planes";
    this.ready = this.nv.attachToCanvas(canvas);
    this.hidden = false;
    this.outlined = false;
    this.label = 1;
  }

  /** @returns {Uint8Array} the drawing, x fastest */
  get bitmap() {
    return /** @type {Uint8Array} */ (this.nv.drawBitmap);
  }

  /** @returns {any} the image's voxels as they were sent, x fastest */
  get numbers() {
    return this.nv.volumes[0].img;
  }

  /**
   * Show a case.
   * @param {ArrayBuffer} image NIfTI @param {number[]} shape voxels along z, y, x @param {[number, number]} range the window @param {Box} mask the drawing
   * @param {Box} proposal @param {number} label the lesion's @param {number[][]} colours of labels 1, 2, ...
   */
  async open(image, shape, range, mask, proposal, label, colours) {
    await this.ready;
    const { NVImage, cmapper } = library();
    while (this.nv.volumes.length) this.nv.removeVolumeByIndex(this.nv.volumes.length - 1);
    this.nv.closeDrawing();
    this.shape = shape;
    this.label = label;
    const volume = await NVImage.loadFromUrl({ url: image, name: "image.nii", cal_min: range[0], cal_max: range[1] });
    this.nv.addVolume(volume);
    this.nv.createEmptyDrawing();
    const list = Array.from({ length: 255 }, (_, n) => colours[n % colours.length]);
    const table = { R: [0, ...list.map(c => c[0])], G: [0, ...list.map(c => c[1])], B: [0, ...list.map(c => c[2])], A: [0, ...list.map(() => 255)], I: [0, ...list.map((_, n) => n + 1)] };
    this.nv.drawLut = cmapper.makeDrawLut(table);
    unpack(this.bitmap, shape, mask);
    this.proposal = proposal;
    this.nv.refreshDrawing(false);
    this.setView(shape[0] === 1 ? "axial" : this.view === "solid" ? "planes" : this.view);
    this.show();
    this.centre(mask);
  }

  /** Put the crosshair into the lesion. @param {Box} mask */
  centre(mask) {
    const [nz, ny, nx] = this.shape;
    const [x, y, z] = middle(mask, this.label) ?? [nx >> 1, ny >> 1, nz >> 1];
    this.nv.scene.crosshairPos = this.nv.vox2frac(/** @type {any} */ ([x, y, z]));
    this.nv.createOnLocationChange();
    this.nv.drawScene();
  }

  /** The drawing was changed here: bring it to the screen. */
  refresh() {
    this.nv.refreshDrawing(true);
  }

  /** How the mask is drawn: filled or as its rim, or not at all. */
  show() {
    this.nv.drawRimOpacity = this.hidden ? 0 : 1;
    this.nv.setDrawOpacity(this.hidden ? 0 : this.outlined ? 0.001 : 0.35);
  }

  /** @param {boolean} on whether the proposal is shown beside the drawing */
  async showProposal(on) {
    const { NVImage, cmapper } = library();
    while (this.nv.volumes.length > 1) this.nv.removeVolumeByIndex(1);
    if (on && this.proposal) {
      const [nz, ny, nx] = this.shape;
      const bytes = new Uint8Array(HEADER + nz * ny * nx);
      bytes.set(new Uint8Array(this.#header()), 0);
      unpack(bytes.subarray(HEADER), this.shape, rim(this.proposal, this.label));
      cmapper.addColormap("proposal", { R: [0, 60], G: [0, 200], B: [0, 255], A: [0, 255], I: [0, 255] });
      const volume = await NVImage.loadFromUrl({ url: bytes.buffer, name: "proposal.nii", colormap: "proposal", opacity: 0.9, cal_min: 0, cal_max: 1 });
      this.nv.addVolume(volume);
      this.nv.updateGLVolume();
    }
    this.nv.drawScene();
  }

  /** @returns {ArrayBuffer} a header like the image's, for bytes */
  #header() {
    const [nz, ny, nx] = this.shape;
    const buffer = new ArrayBuffer(HEADER);
    const view = new DataView(buffer);
    const spacing = Array.from(/** @type {any} */ (this.nv.volumes[0].hdr).pixDims).slice(1, 4).map(Number);
    view.setInt32(0, 348, true);
    [3, nx, ny, nz, 1, 1, 1, 1].forEach((n, at) => view.setInt16(40 + 2 * at, n, true));
    view.setInt16(70, 2, true);
    view.setInt16(72, 8, true);
    [1, ...spacing, 1, 1, 1, 1].forEach((n, at) => view.setFloat32(76 + 4 * at, n, true));
    view.setFloat32(108, HEADER, true);
    view.setFloat32(112, 1, true);
    view.setInt16(254, 1, true);
    spacing.forEach((n, axis) => view.setFloat32(280 + 16 * axis + 4 * axis, n, true));
    [0x6e, 0x2b, 0x31, 0].forEach((n, at) => view.setUint8(344 + at, n));
    return buffer;
  }

  /** @param {number} low @param {number} high */
  setWindow(low, high) {
    const volume = this.nv.volumes[0];
    if (!volume) return;
    volume.cal_min = low;
    volume.cal_max = high;
    this.nv.updateGLVolume();
  }

  /** @returns {number[]} the window as it is now */
  get window() {
    const volume = this.nv.volumes[0];
    return volume ? [volume.cal_min ?? 0, volume.cal_max ?? 1] : [0, 1];
  }

  /** The next way to look: three planes and solid, axial alone, solid alone. */
  nextView() {
    this.setView(VIEWS[(VIEWS.indexOf(this.view) + 1) % VIEWS.length]);
  }

  /** @param {string} view */
  setView(view) {
    const { SLICE_TYPE } = library();
    this.view = view;
    if (view === "planes") this.#arrange();
    else this.nv.clearCustomLayout();
    this.nv.setSliceType({ planes: SLICE_TYPE.MULTIPLANAR, axial: SLICE_TYPE.AXIAL, solid: SLICE_TYPE.RENDER }[view] ?? SLICE_TYPE.MULTIPLANAR);
  }

  /** A large axial plane; coronal, sagittal and solid beside it (without the solid one where each frame of it would take seconds). */
  #arrange() {
    const { SLICE_TYPE } = library();
    const solid = !slowSolid(this.nv, this.shape);
    const height = solid ? 0.36 : 0.5;
    /** @type {Parameters<Niivue["setCustomLayout"]>[0]} */ const tiles = [
      { sliceType: SLICE_TYPE.AXIAL, position: [0, 0, 0.64, 1] },
      { sliceType: SLICE_TYPE.CORONAL, position: [0.64, 0, 0.36, height] },
      { sliceType: SLICE_TYPE.SAGITTAL, position: [0.64, height, 0.36, height] },
    ];
    if (solid) tiles.push({ sliceType: SLICE_TYPE.RENDER, position: [0.64, 0.72, 0.36, 0.28] });
    this.nv.setCustomLayout(tiles);
  }

  /** @param {number} value 0: erase @param {boolean} filled close the outline and fill it @param {number} size in voxels */
  pen(value, filled, size) {
    this.nv.setDrawingEnabled(true);
    this.nv.opts.penSize = size;
    this.nv.setPenValue(value, filled);
  }

  /** Clicks move the crosshair again. */
  look() {
    this.nv.setDrawingEnabled(false);
  }

  /** @param {number} x @param {number} y @param {number} z */
  step(x, y, z) {
    this.nv.moveCrosshairInVox(x, y, z);
  }

  /** Fill the slices between those drawn on, axially. */
  betweenSlices() {
    this.nv.interpolateMaskSlices(undefined, undefined, { useIntensityGuided: false, sliceType: library().SLICE_TYPE.AXIAL });
  }

  /** @returns {string} its version, for the log */
  get version() {
    return `niivue ${/** @type {any} */ (library()).version ?? "0.69.0"}`;
  }
}
