"""HTTP connections that are closed where nobody asks anything, so that idle ones do not fill the service."""

from asyncio import Transport

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_SECONDS = 10.0  # for the head of a request to arrive


class ImpatientProtocol(H11Protocol):
    """Closes a connection on which no whole head of a request arrives in HEAD_SECONDS."""

    def connection_made(self, transport: Transport) -> None:
        super().connection_made(transport)
        self._wait_for_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait_for_head()

    def _wait_for_head(self) -> None:
        self.loop.call_later(HEAD_SECONDS, self._close_unless_asked, self.cycle)

    def _close_unless_asked(self, last: RequestResponseCycle | None) -> None:
        """Close the connection if `last` is still its last request, and was answered."""
        if self.cycle is last and (last is None or last.response_complete):
            self.transport.close()
