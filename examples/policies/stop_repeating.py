# SPDX-License-Identifier: Apache-2.0
"""A policy for `lanerope run --policy-cmd "python3 examples/policies/stop_repeating.py"`: retires lanes that repeat themselves."""

import json
import sys

texts: dict[int, str] = {}
for line in sys.stdin:
    group = json.loads(line)
    if group["kind"] == "start":
        continue
    acts = []
    for lane in group["lanes"]:
        text = texts[lane["lane"]] = texts.get(lane["lane"], "") + lane["text"]
        last = text[-40:]
        if lane["finish"] is None and len(last) == 40 and text.count(last) >= 3:
            acts.append({"act": "retire", "lane": lane["lane"], "reason": "it repeats itself"})
    print(json.dumps(acts), flush=True)
