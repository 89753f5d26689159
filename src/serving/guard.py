"""Stands before MLflow's scoring server: bounds a request, and answers with 4xx and a reason.

MLflow's scoring server takes bodies of any size, however large they become, and requests in the
name of any host; it answers 500 to a request without a content type and to JSON that Python's
parser gives up on, and repeats a body that it cannot parse in its answer. It has no setting for
these.
"""

from __future__ import annotations

import asyncio
import fnmatch
import json
import logging
from email.message import Message as Headers

from mlflow.environment_variables import MLFLOW_SERVER_ALLOWED_HOSTS
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from src.data.errors import TooLargeError
from src.errors import UserError
from src.saved_model.facts import ServingFacts
from src.serving.bodies import CSV_TYPE, JSON_TYPE, as_taken

LIMIT_VARIABLE = "SERVING_MAX_BYTES"
LIMIT = 16 * 2**20
"""Bytes of a body; about 100,000 rows of ten columns."""
DRAINED = 64
"""A body of up to so many limits is read to its end, so that its sender gets to read the answer."""
BODY_SECONDS = 60
"""A body must have arrived by then, as MLflow's own answer must."""
LONGEST_REASON = 1000
REPEATED = (("Failed to predict data", "\nError: "), ("Failed to enforce schema", " Error: "))
UTF_8 = ("utf-8", "utf8", "us-ascii")
OWN_HOSTS = ("127.0.0.1", "127.0.0.1:*", "localhost", "localhost:*")

log = logging.getLogger("uvicorn.error")


class Guard:
    """ASGI middleware before an app: bodies of at most so many bytes."""

    def __init__(self, app: ASGIApp, facts: ServingFacts, largest: int = LIMIT) -> None:
        self._app = app
        self._facts = facts
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or answers it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        try:
            _check_host(headers.get(b"host", b"").decode("latin-1"))
            if scope["method"] != "POST":
                await self._app(scope, receive, send)
                return
            body = await self._body(receive)
            kind = _media_type(headers.get(b"content-type", b"").decode("latin-1"))
            if self._facts.images and kind != JSON_TYPE:
                reason = f"pictures come as base64 text in {JSON_TYPE}"
                raise _RefusedError(415, "INVALID_PARAMETER_VALUE", reason)
            # in a thread: a large body must not keep other requests from their answers
            kind, body = await asyncio.to_thread(as_taken, kind, body, self._facts)
            headers[b"content-type"] = kind.encode("latin-1")
            headers[b"content-length"] = str(len(body)).encode()
            scope = {**scope, "headers": list(headers.items())}
            await self._app(scope, _replayed(body, receive), _shortened(scope, receive, send))
            return
        except _RefusedError as error:
            answer = _answer(*error.args)
        except TooLargeError as error:
            answer = _answer(413, "REQUEST_LIMIT_EXCEEDED", f"{error} Send less at a time.")
        except UserError as error:
            answer = _answer(400, "INVALID_PARAMETER_VALUE", str(error))
        except (RecursionError, ValueError) as error:
            log.info("a request that could not be parsed: %s", error)
            reason = f"the body cannot be parsed: {str(error)[:LONGEST_REASON]}"
            answer = _answer(400, "INVALID_PARAMETER_VALUE", reason)
        await answer(scope, receive, send)

    async def _body(self, receive: Receive) -> bytes:
        body, size, more = bytearray(), 0, True
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while more and size <= DRAINED * self._largest:
                    message = await receive()
                    part, more = message.get("body", b""), message.get("more_body", False)
                    size += len(part)
                    body += part
                    if size > self._largest:
                        body.clear()
        except TimeoutError as error:
            reason = f"the body did not arrive within {BODY_SECONDS} seconds"
            raise _RefusedError(408, "REQUEST_TIMEOUT", reason) from error
        if size > self._largest:
            reason = (
                f"the body is larger than {self._largest:,} bytes; send fewer rows at a time, or "
                f"start the server with {LIMIT_VARIABLE} set to more"
            )
            raise _RefusedError(413, "REQUEST_LIMIT_EXCEEDED", reason)
        return bytes(body)


class _RefusedError(Exception):
    """Answered at once, with its arguments: status, error code and reason."""


def _shortened(scope: Scope, receive: Receive, send: Send) -> Send:
    """Sends an answer on; an error without stack trace and without what was sent."""
    status, parts = 0, []

    async def forward(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start" and message["status"] >= 400:
            status = message["status"]
        elif not status:
            await send(message)
        else:
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                await _answer(status, *_reason(b"".join(parts)))(scope, receive, send)

    return forward


def _check_host(given: str) -> None:
    """Refuses the name of another host, by which a page in a browser reaches this machine.

    MLflow's own servers take the same names from the same variable.
    """
    allowed = MLFLOW_SERVER_ALLOWED_HOSTS.get()
    patterns = [one.strip() for one in allowed.split(",")] if allowed else OWN_HOSTS
    if not any(fnmatch.fnmatch(given.lower(), pattern) for pattern in patterns):
        reason = (
            "the request names another host than this server; behind a proxy, say which are right "
            f"in {MLFLOW_SERVER_ALLOWED_HOSTS.name}"
        )
        raise _RefusedError(403, "PERMISSION_DENIED", reason)


def _media_type(header: str) -> str:
    """The media type in lower case, of a body in UTF-8."""
    if not header:
        reason = f"the request has no Content-Type; right is {JSON_TYPE} or {CSV_TYPE}"
        raise _RefusedError(415, "INVALID_PARAMETER_VALUE", reason)
    headers = Headers()
    headers["Content-Type"] = header
    if headers.get_content_charset("utf-8") not in UTF_8:
        reason = "the body has another charset; right is UTF-8"
        raise _RefusedError(415, "INVALID_PARAMETER_VALUE", reason)
    return headers.get_content_type()


def _reason(body: bytes) -> tuple[str, str]:
    """Error code and message of MLflow's answer, the latter cut to a readable length."""
    try:
        content = json.loads(body)
        code, text = str(content["error_code"]), str(content["message"])
    except (ValueError, KeyError, TypeError):
        code, text = "BAD_REQUEST", body.decode("utf-8", "replace")
    for opening, mark in REPEATED:  # MLflow repeats what was sent, and the reason comes last
        if text.startswith(opening) and mark in text:
            text = text.rpartition(mark)[2]
    text = text.partition("\nInput:")[0]
    if len(text) > LONGEST_REASON:
        text = f"{text[: LONGEST_REASON // 2]} … {text[-LONGEST_REASON // 2 :]}"
    return code, text


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Hands a body over that was read already."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _answer(status: int, code: str, reason: str) -> Response:
    body = json.dumps({"error_code": code, "message": reason})  # in ASCII: half a character, too
    return Response(body, status, media_type=JSON_TYPE)
