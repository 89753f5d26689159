"""A port of this machine, asked for before anything slow begins."""

import socket

from src.errors import UserError

HOST = "127.0.0.1"


def check_port(port: int, target: str) -> None:
    """Refuses a port that no server can listen on; `target` of make takes another.

    Raises:
        UserError: says why, and what to type for another port.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            if not port:
                raise OverflowError("0 is no port")
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            other = port + 1 if 0 < port < 65535 else 5001
            raise UserError(
                f"--port {port}: cannot be used ({reason}); take another: --port {other}, or make "
                f"{target} PORT={other}"
            ) from error
