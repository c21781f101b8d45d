// Working time: seconds in which the page was seen and something was done within the last half minute.

export class Clock {
  /** @param {number} idleSeconds a longer pause is not work */
  constructor(idleSeconds) {
    this.idle = idleSeconds * 1000;
    this.seconds = 0;
    this.active = performance.now();
    this.last = performance.now();
    for (const kind of ["pointermove", "pointerdown", "keydown", "wheel"]) {
      addEventListener(kind, () => { this.active = performance.now(); }, { capture: true, passive: true });
    }
    setInterval(() => this.#tick(), 500);
  }

  #tick() {
    const now = performance.now();
    if (document.visibilityState === "visible" && now - this.active < this.idle) this.seconds += Math.min(now - this.last, 2000) / 1000;
    this.last = now;
  }

  /** @param {number} [seconds] worked on this case before */
  start(seconds = 0) {
    this.seconds = seconds;
    this.last = performance.now();
  }

  /** @returns {string} minutes and seconds */
  get text() {
    return `${Math.floor(this.seconds / 60)}:${String(Math.floor(this.seconds % 60)).padStart(2, "0")}`;
  }
}
