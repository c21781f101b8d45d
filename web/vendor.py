"""Put NiiVue where the app's pages find it: `npm ci` here, then its one file and its licence into the package's `pages/vendor`.

Called by `make web`, `make setup` and `make setup-all`, and with `--required` before a wheel is built (`make wheel`,
`packaging/wheelhouse.py`, cibuildwheel's `before-build`). Nothing is fetched where the pinned file is there already, so an offline build
works from a checkout that was set up once. Where it cannot be had, everything else installs and `isthmus app` says what is missing; with
`--required` the exit status is 1 and no wheel without its viewer is made.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parent
VENDOR = WEB.parent / "src" / "isthmus" / "app" / "pages" / "vendor"
NAME = "@niivue/niivue"
FILE = "niivue.umd.js"
SHA256 = "47b896b77ec4a5be3ef1949c33ad393b6f45629921f326c279000bcf51bdb4af"
"""Of the file of the version that package-lock.json pins."""


def main() -> int:
    version = json.loads((WEB / "package.json").read_text(encoding="utf-8"))["dependencies"][NAME]
    wants_tools = "--tools" in sys.argv  # TypeScript, which only `make lint` needs
    if not _sound(VENDOR / FILE) or (wants_tools and not (WEB / "node_modules" / "typescript").is_dir()):
        found = WEB / "node_modules" / NAME / "dist" / FILE
        if not _sound(found) or wants_tools:
            trouble = _install()
            if trouble:
                print(
                    f"NiiVue {version} (the viewer of `isthmus app`) is not installed: {trouble}. Everything else works; "
                    "install Node 18 or newer and run `make web`",
                    file=sys.stderr,
                )
                return int("--required" in sys.argv)
        if not _sound(found):
            print(f"{found}: not the file of {NAME} {version} that was pinned; it is not used", file=sys.stderr)
            return 1
        VENDOR.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found, VENDOR / FILE)
    shutil.copyfile(WEB / "licences" / "niivue.txt", VENDOR / "niivue-licence.txt")
    return 0


def _install() -> str:
    """Run `npm ci`; what kept it from working, or nothing."""
    npm = shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))
    if npm is None:
        return "there is no npm on the path"
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(command, cwd=WEB, check=False, capture_output=True, text=True)
    lines = done.stderr.strip().splitlines()
    return "" if done.returncode == 0 else f"`npm ci` failed ({lines[-1] if lines else done.returncode})"


def _sound(path: Path) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256


if __name__ == "__main__":
    sys.exit(main())
