"""In what way a request asks for less than the pipeline can do."""

from typing import Literal

from savor.pipeline.request import Request
from savor.pipeline.result import Fallback
from savor.pipeline.search_query import search_query


def circumstances(request: Request, wants: Literal["items", "text"] | None) -> tuple[Fallback, ...]:
    """Fallbacks that follow from what was found out.

    Args:
        request: after its hydrators ran.
        wants: what the moment must hold.
    """
    history, known = request.hydrated.get("history"), request.hydrated.get("known_user")
    found: list[Fallback] = []
    if known is False:
        about = "nothing is known of this user; what newcomers choose and what is popular decides"
        found.append(Fallback("unknown_user", about))
    elif history is not None and not len(history):
        about = "the user has no history yet; the profile and what is popular decide"
        found.append(Fallback("no_history", about))
    if problem := request.hydrated.get("state_problem"):
        found.append(Fallback("live_state_partial", f"what happened lately may be missing ({problem})"))
    if wants == "items" and not len(request.hydrated.get("context_items", ())):
        given = request.query.context.keys() & {"basket", "item_id"}
        about = "the catalogue has nothing of it" if given else "the request has neither basket nor item_id"
        found.append(Fallback("context_absent", f"this list is about the items of the moment, and {about}"))
    if wants == "text" and search_query(request.query) is None:
        about = "this list is about a search, and the request has no query"
        found.append(Fallback("context_absent", about))
    return tuple(found)
