// The drawing as an array: what a stroke changed, undo and redo without end, and the box that holds it.

/** @typedef {{indices: Uint32Array, before: Uint8Array, after: Uint8Array}} Change */
/** @typedef {{header: string, bytes: Uint8Array}} Box */

const MOST_BYTES = 256 * 1024 * 1024;

/** Undo and redo: the voxels that each stroke changed. */
export class History {
  /** @param {Uint8Array} bitmap as it is now */
  constructor(bitmap) {
    this.last = bitmap.slice();
    /** @type {Change[]} */ this.done = [];
    /** @type {Change[]} */ this.undone = [];
    this.bytes = 0;
  }

  /**
   * Remember what changed since the last call.
   * @param {Uint8Array} bitmap
   * @returns {Change | null} null: nothing
   */
  commit(bitmap) {
    const change = difference(this.last, bitmap);
    if (!change) return null;
    for (let n = 0; n < change.indices.length; n++) this.last[change.indices[n]] = change.after[n];
    this.done.push(change);
    this.undone = [];
    this.bytes += change.indices.length * 6;
    while (this.bytes > MOST_BYTES && this.done.length > 1) this.bytes -= /** @type {Change} */ (this.done.shift()).indices.length * 6;
    return change;
  }

  /** @param {Uint8Array} bitmap @returns {boolean} whether there was anything to undo */
  undo(bitmap) {
    const change = this.done.pop();
    if (!change) return false;
    this.undone.push(change);
    this.#put(bitmap, change.indices, change.before);
    return true;
  }

  /** @param {Uint8Array} bitmap @returns {boolean} whether there was anything to redo */
  redo(bitmap) {
    const change = this.undone.pop();
    if (!change) return false;
    this.done.push(change);
    this.#put(bitmap, change.indices, change.after);
    return true;
  }

  /** @param {Uint8Array} bitmap @param {Uint32Array} indices @param {Uint8Array} values */
  #put(bitmap, indices, values) {
    for (let n = 0; n < indices.length; n++) bitmap[indices[n]] = this.last[indices[n]] = values[n];
  }
}

/**
 * Where two arrays of one length differ; four voxels are compared at once.
 * @param {Uint8Array} before @param {Uint8Array} after @returns {Change | null}
 */
function difference(before, after) {
  const words = after.length >> 2;
  const a = new Uint32Array(before.buffer, before.byteOffset, words);
  const aligned = after.byteOffset % 4 === 0 ? after : after.slice();
  const b = new Uint32Array(aligned.buffer, aligned.byteOffset, words);
  /** @type {number[]} */ const found = [];
  for (let word = 0; word < words; word++) {
    if (a[word] === b[word]) continue;
    for (let n = word * 4; n < word * 4 + 4; n++) if (before[n] !== after[n]) found.push(n);
  }
  for (let n = words * 4; n < after.length; n++) if (before[n] !== after[n]) found.push(n);
  if (!found.length) return null;
  const indices = Uint32Array.from(found);
  return { indices, before: Uint8Array.from(indices, n => before[n]), after: Uint8Array.from(indices, n => after[n]) };
}

/**
 * The box that holds the drawing, and its voxels (x fastest).
 * @param {Uint8Array} bitmap @param {number[]} shape voxels along z, y, x @returns {Box}
 */
export function pack(bitmap, [nz, ny, nx]) {
  let [x0, x1, y0, y1, z0, z1] = [nx, 0, ny, 0, nz, 0];
  const plane = nx * ny;
  for (let z = 0; z < nz; z++) {
    const slice = bitmap.subarray(z * plane, (z + 1) * plane);
    if (isEmpty(slice)) continue;
    z0 = Math.min(z0, z);
    z1 = z + 1;
    for (let y = 0; y < ny; y++) {
      const row = slice.subarray(y * nx, (y + 1) * nx);
      const first = row.findIndex(Boolean);
      if (first < 0) continue;
      y0 = Math.min(y0, y);
      y1 = Math.max(y1, y + 1);
      x0 = Math.min(x0, first);
      x1 = Math.max(x1, row.findLastIndex(Boolean) + 1);
    }
  }
  if (z1 === 0) return { header: "0,0,0,0,0,0", bytes: new Uint8Array(0) };
  const [width, height] = [x1 - x0, y1 - y0];
  const bytes = new Uint8Array(width * height * (z1 - z0));
  for (let z = z0, at = 0; z < z1; z++) {
    for (let y = y0; y < y1; y++, at += width) bytes.set(bitmap.subarray(z * plane + y * nx + x0, z * plane + y * nx + x1), at);
  }
  return { header: [x0, x1, y0, y1, z0, z1].join(","), bytes };
}

/** @param {Uint8Array} slice */
function isEmpty(slice) {
  const words = slice.byteOffset % 4 === 0 ? new Uint32Array(slice.buffer, slice.byteOffset, slice.length >> 2) : slice;
  for (let n = 0; n < words.length; n++) if (words[n]) return false;
  for (let n = words === slice ? slice.length : words.length * 4; n < slice.length; n++) if (slice[n]) return false;
  return true;
}

/**
 * Put a box into a bitmap; what lies outside becomes 0.
 * @param {Uint8Array} bitmap @param {number[]} shape voxels along z, y, x @param {Box} box
 */
export function unpack(bitmap, [, ny, nx], { header, bytes }) {
  bitmap.fill(0);
  merge(bitmap, [0, ny, nx], { header, bytes }, 0);
}

/**
 * Put the voxels of a box that are not 0 into a bitmap, with their own label or as `label`.
 * @param {Uint8Array} bitmap @param {number[]} shape @param {Box} box @param {number} label 0: their own
 */
export function merge(bitmap, [, ny, nx], { header, bytes }, label) {
  const [x0, x1, y0, y1, z0, z1] = header.split(",").map(Number);
  for (let z = z0, at = 0; z < z1; z++) {
    for (let y = y0; y < y1; y++) {
      for (let x = x0, to = (z * ny + y) * nx + x0; x < x1; x++, at++, to++) if (bytes[at]) bitmap[to] = label || bytes[at];
    }
  }
}

/**
 * The axial slice with most voxels of a label, and the middle of the label there.
 * @param {Box} box @param {number} label @returns {number[] | null} x, y, z
 */
export function middle({ header, bytes }, label) {
  const [x0, x1, y0, y1, z0, z1] = header.split(",").map(Number);
  let best = 0;
  /** @type {number[] | null} */ let found = null;
  for (let z = z0, at = 0; z < z1; z++) {
    let [count, sumX, sumY] = [0, 0, 0];
    for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++, at++) if (bytes[at] === label) [count, sumX, sumY] = [count + 1, sumX + x, sumY + y];
    if (count > best) [best, found] = [count, [Math.round(sumX / count), Math.round(sumY / count), z]];
  }
  return found;
}

/**
 * The rim of a label within its axial slices, as label 1.
 * @param {Box} box @param {number} label @returns {Box}
 */
export function rim({ header, bytes }, label) {
  const [x0, x1, y0, y1] = header.split(",").map(Number);
  const [width, height] = [x1 - x0, y1 - y0];
  const found = new Uint8Array(bytes.length);
  for (let n = 0; n < bytes.length; n++) {
    if (bytes[n] !== label) continue;
    const [x, y] = [n % width, Math.floor(n / width) % height];
    const inner = x > 0 && x < width - 1 && y > 0 && y < height - 1 && [1, -1, width, -width].every(step => bytes[n + step] === label);
    if (!inner) found[n] = 1;
  }
  return { header, bytes: found };
}
