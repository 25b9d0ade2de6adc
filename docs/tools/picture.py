"""Pictures of a report, taken by a real browser: a wide window in light, a phone in dark.

    python docs/tools/picture.py questions/report.html

writes docs/images/report.png and docs/images/report-phone.png. `chromium` has to be installed.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

IMAGES = Path(__file__).resolve().parents[1] / "images"
WIDE, PHONE = 1280, 390  # CSS pixels
NARROWEST = 500  # a window cannot be narrower: a phone's page is shown in a frame
DARK = "--blink-settings=preferredColorScheme=0"
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run")


def main() -> None:
    """Take both pictures of the report that is named."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("report", type=Path)
    asked.add_argument("--wide-height", type=int, default=1720, metavar="PIXELS")
    asked.add_argument("--phone-height", type=int, default=1500, metavar="PIXELS")
    given = asked.parse_args()
    page = given.report.resolve()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        shot(page, place, WIDE, given.wide_height, IMAGES / "report.png")
        frame = place / "frame.html"
        frame.write_text(
            f'<body style="margin:0"><iframe src="{page.as_uri()}" style="border:0" '
            f'width="{PHONE}" height="{given.phone_height}"></iframe>'
        )
        shot(frame, place, PHONE, given.phone_height, IMAGES / "report-phone.png", DARK)


def shot(page: Path, folder: Path, width: int, height: int, to: Path, *how: str) -> None:
    """The top of a page, in few colours."""
    taken = folder / "taken.png"
    window = f"--window-size={max(width, NARROWEST)},{height}"
    place = (f"--user-data-dir={folder / 'profile'}", f"--screenshot={taken}", page.as_uri())
    subprocess.run(["chromium", *QUIET, *how, window, *place], check=True, capture_output=True)
    with Image.open(taken) as picture:
        drawn = picture.convert("RGB").crop((0, 0, width, height))
    few = drawn.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(to, optimize=True)
    print(f"{to}: {to.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
