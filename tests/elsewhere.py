"""An engine elsewhere without Ray: what :func:`ddeq.engine.answering.answer` says, over HTTP."""

import asyncio
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ddeq.engine.answering import answer
from ddeq.engine.local import LocalJob


class Elsewhere:
    """What was asked of the engine, and how it fails.

    Attributes:
        asked: requests as JSON.
        cuts: after how many bytes the first answers, one after the other, are cut off.
        broken: how many requests are refused at first, as where no copy is there.
        jobs: that were begun.
        cancelled: set once a job was cancelled before it had ended.
    """

    def __init__(self, cuts=(), broken=0):
        self.asked, self.cuts, self.broken = [], [*cuts], broken
        self.jobs = []
        self.cancelled = threading.Event()

    def begin(self, request):
        self.jobs.append(LocalJob(request))
        return self.jobs[-1]

    async def say(self, text, write):
        """Write the answer, up to where it is cut off."""
        left = self.cuts.pop(0) if self.cuts else None
        messages = answer(text, self.begin)
        try:
            async for message in messages:
                write(message if left is None else message[: max(left, 0)])
                if left is not None and (left := left - len(message)) <= 0:
                    return
        except OSError:  # nobody listens any longer
            pass
        finally:
            await messages.aclose()
            if self.jobs and self.jobs[-1].outcome is None:
                self.cancelled.set()


@contextmanager
def engine(**how):
    """An engine at an address of this machine: its state and where it is."""
    state = Elsewhere(**how)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            text = self.rfile.read(int(self.headers["Content-Length"]))
            state.asked.append(text)
            if len(state.asked) <= state.broken:
                self.send_error(503)
                return
            self.send_response(200)
            self.end_headers()
            asyncio.run(state.say(text, self.wfile.write))

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
