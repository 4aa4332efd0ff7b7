"""ETags on what never changes: asked for again, it need not be sent again."""

from __future__ import annotations

from fastapi import Request, Response

IMMUTABLE = "private, max-age=31536000, immutable"


def fresh(request: Request, response: Response, content: str) -> Response | None:
    """Mark the response with a content hash; returns a 304 where the client has that already.

    Args:
        content: hash that names the content.
    """
    tag = f'"{content}"'
    headers = {"ETag": tag, "Cache-Control": IMMUTABLE}
    response.headers.update(headers)
    given = request.headers.get("if-none-match", "")
    known = {each.strip().removeprefix("W/") for each in given.split(",")}
    return Response(status_code=304, headers=headers) if tag in known or "*" in known else None
