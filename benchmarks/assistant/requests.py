"""The assistant on scripted requests over Complete Journey: does the answer keep to what was asked, and does it help?

python benchmarks/assistant/requests.py -C demo                     # without a language model
python benchmarks/assistant/requests.py -C demo --provider local    # with SmolLM2 to phrase

What is served knows what was known when the test period began; each request is somebody's who took something in that
period that the request allows. What must and must not be in an answer follows from attributes of the items (in
things.toml and scripted.py). The hit rate is the share of requests whose last list has an item that this person then
took, beside that of the five best sold items, and of the person's own pipeline, among just those items that the request
allows.
"""

import sys
from pathlib import Path

sys.path[0] = str(
    Path(__file__).resolve().parents[2]
)  # not this folder: a package that others import is called like this

from benchmarks.assistant.asking import main  # noqa: E402

if __name__ == "__main__":
    main(__doc__)
