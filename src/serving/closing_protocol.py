"""uvicorn's protocol, which closes connections that send no request."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 30.0


class ClosingProtocol(H11Protocol):
    """Closes a connection that sends no whole head of a request in ``HEAD_SECONDS``.

    uvicorn's ``timeout_keep_alive`` begins with an answer, and any byte ends it: a connection that
    sends nothing, or half a head, would stay open for as long as its other end likes
    (https://github.com/Kludex/uvicorn/issues/157, ``--timeout-request-start``). The protocol is
    given to uvicorn by its option ``http``.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait."""
        super().connection_made(transport)
        self._seen: Any = None
        self._timer = self.loop.call_later(HEAD_SECONDS, self._close_if_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits no more."""
        self._timer.cancel()
        super().connection_lost(exc)

    def _close_if_idle(self) -> None:
        """Closes it where no request is under way and none has begun since the last look."""
        if self.cycle is self._seen and (self.cycle is None or self.cycle.response_complete):
            self.transport.close()
            return
        self._seen = self.cycle
        self._timer = self.loop.call_later(HEAD_SECONDS, self._close_if_idle)
