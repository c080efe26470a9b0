"""Holds what programs say they have uploaded against the stand-in service's ledger: ledger.py URL OUTPUT…"""

import json
import re
import sys
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

url, *outputs = sys.argv[1:]
# The machine's own proxy would lead elsewhere.
with build_opener(ProxyHandler({})).open(f"{url}/local-api/ledger") as answer:
    videos = {it["videoId"]: it["sha256"] for it in json.load(answer)["uploads"]["videos"]}
for output in outputs:
    told = re.findall(r"(?m)^uploaded (\S+) (\S+)$", Path(output).read_text())
    if not told:
        sys.exit(f"{output}: nothing was uploaded")
    for video, digest in told:
        if videos.get(video) != digest:
            sys.exit(f"{output}: {video} is {videos.get(video)}, not {digest}")
