#!/usr/bin/env python3
"""Packs a folder as a zip that is the same whenever it is packed: zip.py DIRECTORY NAME makes
DIRECTORY/NAME.zip of DIRECTORY/NAME. All that is in it is of the moment SOURCE_DATE_EPOCH, in UTC."""

import os
import sys
import time
import zipfile
from pathlib import Path

directory, name = Path(sys.argv[1]), sys.argv[2]
moment = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]
# Times in a zip begin with 1980.
moment = max(moment, (1980, 1, 1, 0, 0, 0))

with zipfile.ZipFile(directory / f"{name}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for file in sorted(it for it in (directory / name).rglob("*") if it.is_file()):
        entry = zipfile.ZipInfo(file.relative_to(directory).as_posix(), moment)
        entry.create_system = 3  # whose permissions these are: of a Unix
        entry.external_attr = file.stat().st_mode << 16
        archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED, 9)
