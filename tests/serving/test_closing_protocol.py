"""A connection that sends no request is closed; uvicorn's own protocol leaves it open."""

import asyncio

import uvicorn
from in_a_loop import in_a_loop
from uvicorn.protocols.http.h11_impl import H11Protocol

from src.serving import closing_protocol as entry

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def app(scope, receive, send):
    """Answers after the time in which a silent connection is closed."""
    if scope["type"] == "http":
        await asyncio.sleep(0.8)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"late"})


async def said(protocol, *parts):
    """What a server sends before it closes the connection; None where it does not in 3 s."""
    config = uvicorn.Config(app, port=0, http=protocol, timeout_keep_alive=1, log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
        return await asyncio.wait_for(reader.read(), 3)
    except TimeoutError:
        return None
    finally:
        writer.close()
        server.should_exit = True
        await serving


async def all_said():
    """By protocol: of nothing, of half a head, and of a whole request."""
    found = {}
    for protocol in (entry.ClosingProtocol, H11Protocol):
        connections = (said(protocol, *parts) for parts in ([], [HEAD], [HEAD, b"\r\n"]))
        found[protocol] = await asyncio.gather(*connections)
    return found


def test_only_a_silent_connection_is_closed_which_uvicorn_does_not_do(monkeypatch):
    monkeypatch.setattr(entry, "HEAD_SECONDS", 0.3)
    found = in_a_loop(all_said())
    *silent, answer = found[entry.ClosingProtocol]
    assert silent == [b"", b""]
    assert answer.endswith(b"late\r\n0\r\n\r\n"), "an answer may take its time"
    assert found[H11Protocol][:2] == [None, None], "uvicorn does it by itself"
