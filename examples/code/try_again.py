# SPDX-License-Identifier: Apache-2.0
"""A policy: each function is tested as soon as its lane has ended. If it passes, the group ends; if not, a new lane begins that is told what failed.

    lanerope run ... --reserve-lanes 4 --policy-cmd "python3 examples/code/try_again.py"
"""

import json
import sys

from judge import judge

MOST = 4  # new lanes, as many as are reserved

texts, judged, added = {}, set(), 0
for line in sys.stdin:
    group = json.loads(line)
    if group["kind"] == "start":
        continue
    acts = []
    for lane in group["lanes"]:
        number = lane["lane"]
        texts[number] = texts.get(number, "") + lane["text"]
        if lane["finish"] is None or number in judged:
            continue
        judged.add(number)
        share, failure = judge(texts[number])
        if failure is None:
            acts = [{"act": "end", "reason": f"the function of lane {number + 1} passes all tests"}]
            break
        if added < MOST:
            added += 1
            told = f"An earlier try failed: {failure}. Here is a function that does better:\n\n```python\n"
            acts.append({"act": "spawn", "text": told, "reason": f"lane {number + 1} passes {share:.0%} of the tests: {failure}"})
    print(json.dumps(acts), flush=True)
