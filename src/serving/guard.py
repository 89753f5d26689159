"""Stands before MLflow's scoring server: bounds a request, and answers with 4xx and a reason.

MLflow's server takes bodies of any size, answers 500 to a request without a content type and to
JSON that Python's parser gives up on, and repeats a body that it cannot parse in its answer. It has
no setting for these.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import Any

from src.data.tabular.columns import TablePreprocessing
from src.data.tabular.new_rows import name_by_width, new_rows
from src.data.tabular.text_format import TextFormat
from src.data.tabular.text_table import TextTable
from src.errors import UserError
from src.saved_model.facts import ServingFacts

LIMIT_VARIABLE = "SERVING_MAX_BYTES"
LIMIT = 16 * 2**20
"""Bytes of a body; about 100,000 rows of ten columns."""
DRAINED = 64
"""A body of up to so many limits is read to its end, so that its sender gets to read the answer."""
MOST_CELLS = 5_000_000
"""Cells of a Parquet table, which can be far larger than its body."""
BODY_SECONDS = 60
"""A body must have arrived by then, as MLflow's own answer must."""
LONGEST_REASON = 1000
REPEATED = (("Failed to predict data", "\nError: "), ("Failed to enforce schema", " Error: "))
JSON_TYPE = b"application/json"
PARQUET_TYPE = b"application/vnd.apache.parquet"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

log = logging.getLogger("uvicorn.error")


class Guard:
    """ASGI middleware.

    Args:
        app: what comes after.
        facts: of the model.
        largest: bytes that a body may have.
    """

    def __init__(self, app: Any, facts: ServingFacts, largest: int = LIMIT) -> None:
        self._app = app
        self._facts = facts
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or answers it."""
        if scope["type"] != "http" or scope.get("method") != "POST":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        try:
            body = await self._body(receive)
            kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
            if not kind:
                reason = "the request has no Content-Type; right is application/json or text/csv"
                raise _RefusedError(415, "INVALID_PARAMETER_VALUE", reason)
            if kind == PARQUET_TYPE and _cells(body) > MOST_CELLS:
                reason = f"the table has more than {MOST_CELLS:,} cells; send fewer rows at a time"
                raise _RefusedError(413, "REQUEST_LIMIT_EXCEEDED", reason)
            if kind == b"text/csv" and self._facts.table:
                headers[b"content-type"], body = PARQUET_TYPE, _as_parquet(body, self._facts.table)
            headers[b"content-length"] = str(len(body)).encode()
            scope = {**scope, "headers": list(headers.items())}
            await self._app(scope, _replayed(body, receive), _shortened(send))
        except _RefusedError as error:
            await _answer(send, *error.args)
        except UserError as error:
            await _answer(send, 400, "INVALID_PARAMETER_VALUE", str(error))
        except (RecursionError, ValueError) as error:
            log.info("a request that could not be parsed: %s", error)
            reason = f"the body cannot be parsed: {str(error)[:LONGEST_REASON]}"
            await _answer(send, 400, "INVALID_PARAMETER_VALUE", reason)

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


def _shortened(send: Send) -> Send:
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
                await _answer(send, status, *_reason(b"".join(parts)))

    return forward


def _as_parquet(body: bytes, table: TablePreprocessing) -> bytes:
    """A CSV body read by the rules of training, as MLflow takes a table with its types."""
    wanted = [*table.numeric, *table.categorical]
    text = replace(table.layout or TextFormat(), encoding=None)
    with TextTable(io.BytesIO(body), "request", text, ",") as file:
        if not text.header:
            name_by_width(file, table.layout, wanted)
        ((frame, _),) = new_rows(file, table)
    table.check_columns(frame.columns)
    stream = io.BytesIO()
    frame[wanted].to_parquet(stream)
    return stream.getvalue()


def _cells(body: bytes) -> int:
    """Cells of a Parquet table; 0 where the body is none, which MLflow says in its own words."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(io.BytesIO(body)).metadata
    except (pa.ArrowException, OSError, ValueError):
        return 0
    return int(table.num_rows * table.num_columns)


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


async def _answer(send: Send, status: int, code: str, reason: str) -> None:
    body = json.dumps({"error_code": code, "message": reason}).encode()
    headers = [(b"content-type", JSON_TYPE), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
