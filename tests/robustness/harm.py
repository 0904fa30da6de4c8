"""What tests do to the disk and the network of running processes, without being root."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["Proxy", "no_room", "obey_permissions", "read_only"]

_PR_CAPBSET_DROP = 24
_CAPABILITIES = (1, 2)  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, by which root may do anything


@contextlib.contextmanager
def no_room(pid: int) -> Iterator[None]:
    """As long as it lasts, a process cannot add a byte to any file, as on a full disk.

    The limit on the size of files is used, for it can be set from outside and taken away again;
    a write says "File too large" instead of "No space left on device".
    """
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def obey_permissions() -> None:
    """For `preexec_fn`: permissions of files count for the process, even if it is root's."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in _CAPABILITIES:
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """As long as it lasts, nothing in a folder can be made or opened for writing."""
    everything = [folder, *folder.rglob("*")]
    before = {path: path.stat().st_mode for path in everything}
    for path in everything:
        path.chmod(before[path] & ~0o222)
    try:
        yield
    finally:
        for path, mode in before.items():
            with contextlib.suppress(FileNotFoundError):
                path.chmod(mode)


class Proxy:
    """A connection to a server that can be made slow, or cut; a context manager.

    Parameters
    ----------
    port
        Where the server listens on this machine.

    Attributes
    ----------
    port
        Where the proxy listens.
    delay_s
        Every piece of an answer is held back so long, in seconds.
    passed
        Pieces that went through.
    """

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self.delay_s = 0.0
        self.passed = 0
        self._cut = False
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    def _start(self, target: Callable[..., None], *given: object) -> None:
        thread = threading.Thread(target=target, args=given, name="proxy", daemon=True)
        self._threads.append(thread)
        thread.start()

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """As long as it lasts, there is no connection."""
        self._cut = True
        self._close_all()
        try:
            yield
        finally:
            self._cut = False

    @contextlib.contextmanager
    def slow(self, delay_s: float) -> Iterator[None]:
        """As long as it lasts, every piece of an answer is held back."""
        self.delay_s = delay_s
        try:
            yield
        finally:
            self.delay_s = 0.0

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._cut:
                near.close()
                continue
            try:
                far = socket.create_connection(self._server, 10.0)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            with self._lock:
                self._sockets += [near, far]
            self._start(self._pump, near, far, False)
            self._start(self._pump, far, near, True)

    def _pump(self, source: socket.socket, to: socket.socket, answers: bool) -> None:
        try:
            while piece := source.recv(1 << 16):
                if answers and self.delay_s:
                    time.sleep(self.delay_s)
                to.sendall(piece)
                self.passed += 1
        except OSError:
            pass
        for one in (source, to):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _close_all(self) -> None:
        with self._lock:
            sockets = list(self._sockets)
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(60.0)
        self._close_all()
        for thread in self._threads:
            thread.join(60.0)
        for one in self._sockets:
            one.close()
