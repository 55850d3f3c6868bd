"""What the whole pipeline of the server answers, for comparison."""

import numpy as np
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.core.native_output import native_output_hidden
from savor.export.questions import CUTOFF, Questions
from savor.features.searches import Searches
from savor.online.user_states import UserStates
from savor.pipeline.build import build_serving
from savor.pipeline.query import Query


def served_lists(bundle: Bundle, questions: Questions, asked: NDArray[np.intp]) -> NDArray[np.int32]:
    """(A, 10) int32 positions in the rows of the export, -1 for other items and empty places.

    The sources and statistics of a bundle know what the questions ask for, so this flatters the pipeline a little.

    Args:
        bundle: of the server.
        questions: with histories without what is asked for.
        asked: (A,) numbers of the questions to put.
    """
    place = np.full(int(questions.rows.max()) + 1, -1, np.int32)
    place[questions.rows] = np.arange(len(questions.rows), dtype=np.int32)
    moment = int(questions.now.max())
    with native_output_hidden():
        asked_for = Searches.load(bundle.path("state/searches")) if bundle.has("state/searches") else None
        states = UserStates(questions.histories, questions.profiles, searches=asked_for)
        serving = build_serving(bundle, clock=lambda: moment, states=states)
    lists = np.full((len(asked), CUTOFF), -1, np.int32)
    for number, question in enumerate(asked.tolist()):
        user = questions.profiles.ids[int(questions.users[question])]
        now = int(questions.now[question])
        query = Query(user, now, CUTOFF, exclude_seen=questions.excludes_seen, unseen=True)
        found = np.asarray(serving.pipeline.run(query).items, np.int32)
        known = np.where(found < len(place), found, 0)
        lists[number, : len(found)] = np.where(found < len(place), place[known], -1)
    return lists
