"""Lists in pages: how much a page holds, and the header `Link` that leads to the next one."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request, Response

#: How many a page holds at most, as a parameter of a route.
Limit = Annotated[int, Query(ge=1, le=1000, description="How many to return at most.")]
LIMIT = 100


def link_next(request: Request, response: Response, **cursor: object) -> None:
    """Add the address of the next page to an answer: that of this one, with another cursor.

    Parameters
    ----------
    cursor
        The query parameters in which the next page differs.
    """
    query = [(key, value) for key, value in request.query_params.multi_items() if key not in cursor]
    query += [(key, str(value)) for key, value in cursor.items()]
    response.headers["Link"] = f'<{request.url.path}?{urlencode(query)}>; rel="next"'
