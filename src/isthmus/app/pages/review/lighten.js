// NiiVue, made light enough for a CT of 512 x 512 x 300 on a machine without a graphics card (remote desktops have none).

/** @typedef {import("@niivue/niivue").Niivue} Niivue */
/** @typedef {[number, number, number, number, number, number]} Extent x0, x1, y0, y1, z0, z1 */

const GRADIENT = [33990, 33992]; // texture units of the gradient volume and of the one it is made from
const DRAWING = 33991;
const SOFT_VOXELS = 2e6;

/**
 * Put lighter ways in place of four of NiiVue's.
 * @param {Niivue} nv @param {() => number[]} shape voxels along z, y, x
 */
export function lighten(nv, shape) {
  nv.drawAddUndoBitmap = () => {}; // our own undo remembers what changed; this one would copy the whole volume at each stroke
  skipGradient(nv);
  uploadWhatChanged(nv, shape);
  pace(nv);
}

/**
 * Whether the solid view of this volume takes seconds a frame here: large, and drawn by the processor.
 * @param {Niivue} nv @param {number[]} shape
 */
export function slowSolid(nv, shape) {
  const gl = nv.gl;
  const named = gl.getExtension("WEBGL_debug_renderer_info");
  const drawnBy = String(gl.getParameter(named ? named.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  return shape.reduce((a, b) => a * b, 1) > SOFT_VOXELS && /swiftshader|llvmpipe|software|basic render/i.test(drawnBy);
}

/** The gradient volume serves a lighting that these pages do not use; 16 voxels a slice of it are made, not 262,144. @param {Niivue} nv */
function skipGradient(nv) {
  const make = nv.rgbaTex.bind(nv);
  nv.rgbaTex = (texture, unit, dims, empty) => make(texture, unit, GRADIENT.includes(unit) ? [dims[0], Math.min(4, dims[1]), Math.min(4, dims[2]), dims[3]] : dims, empty);
}

/** Bring to the graphics card the box that was drawn on, not the whole drawing. @param {Niivue} nv @param {() => number[]} shape */
function uploadWhatChanged(nv, shape) {
  /** @type {Extent | null} */ let touched = null;
  /** @param {readonly (readonly number[])[]} points */
  const touch = points => {
    const reach = nv.opts.penSize + 1;
    const found = touched ?? [Infinity, 0, Infinity, 0, Infinity, 0];
    for (const point of points) {
      for (const axis of [0, 1, 2]) {
        const size = shape()[2 - axis];
        found[2 * axis] = Math.max(0, Math.min(found[2 * axis], point[axis] - reach));
        found[2 * axis + 1] = Math.min(size, Math.max(found[2 * axis + 1], point[axis] + reach + 1));
      }
    }
    touched = /** @type {Extent} */ (found);
  };
  const [point, line, filled] = [nv.drawPt.bind(nv), nv.drawPenLine.bind(nv), nv.drawPenFilled.bind(nv)];
  nv.drawPt = (x, y, z, value, bitmap) => { touch([[x, y, z]]); point(x, y, z, value, bitmap); };
  nv.drawPenLine = (from, to, value) => { touch([from, to]); line(from, to, value); };
  nv.drawPenFilled = () => { if (nv.drawPenFillPts.length) touch(nv.drawPenFillPts); filled(); };
  nv.refreshDrawing = (redraw = true) => {
    const bitmap = nv.drawBitmap;
    if (bitmap) {
      const [nz, ny, nx] = shape();
      const [x0, x1, y0, y1, z0, z1] = touched ?? [0, nx, 0, ny, 0, nz];
      const bytes = touched ? cut(bitmap, [nx, ny], touched) : bitmap;
      const gl = nv.gl;
      gl.activeTexture(DRAWING);
      gl.bindTexture(gl.TEXTURE_3D, nv.drawTexture);
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
      gl.texSubImage3D(gl.TEXTURE_3D, 0, x0, y0, z0, x1 - x0, y1 - y0, z1 - z0, gl.RED, gl.UNSIGNED_BYTE, bytes);
    }
    touched = null;
    if (redraw) nv.drawScene();
  };
}

/** @param {Uint8Array} bitmap @param {[number, number]} size along x, y @param {Extent} extent @returns {Uint8Array} */
function cut(bitmap, [nx, ny], [x0, x1, y0, y1, z0, z1]) {
  const width = x1 - x0;
  const bytes = new Uint8Array(width * (y1 - y0) * (z1 - z0));
  for (let z = z0, at = 0; z < z1; z++) {
    for (let y = y0; y < y1; y++, at += width) bytes.set(bitmap.subarray((z * ny + y) * nx + x0, (z * ny + y) * nx + x1), at);
  }
  return bytes;
}

/**
 * Draw once a frame at most, and not before the last frame is done: a mouse would ask faster than a slow machine draws, and its frames
 * would queue up for minutes. The canvas is `aria-busy` until what was asked for is on the screen. The window that a dragged mouse sets
 * costs the whole volume, so it waits for its frame too.
 * @param {Niivue} nv
 */
function pace(nv) {
  const [draw, layers] = [nv.drawScene.bind(nv), nv.refreshLayers.bind(nv)];
  /** @type {WebGLSync | null} */ let last = null;
  let [wanted, waiting, dragged] = [false, false, false];
  const frame = () => {
    const gl = nv.gl;
    if (last && gl.getSyncParameter(last, gl.SYNC_STATUS) !== gl.SIGNALED) return void requestAnimationFrame(frame);
    if (last) gl.deleteSync(last);
    last = null;
    if (!wanted) {
      waiting = false;
      return nv.canvas?.removeAttribute("aria-busy");
    }
    wanted = false;
    if (dragged && nv.volumes[0]) layers(nv.volumes[0], 0);
    dragged = false;
    draw();
    last = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    return void requestAnimationFrame(frame);
  };
  nv.drawScene = () => {
    if (nv.uiData.mouseDepthPicker) return draw(); // a click on the solid view reads what it draws
    wanted = true;
    if (!waiting) {
      waiting = true;
      nv.canvas?.setAttribute("aria-busy", "true");
      requestAnimationFrame(frame);
    }
    return undefined;
  };
  const drag = nv.windowingHandler.bind(nv);
  nv.windowingHandler = (x, y, volume) => {
    nv.refreshLayers = () => { dragged = true; };
    drag(x, y, volume);
    nv.refreshLayers = layers;
  };
}
