"""A lock file that names its holder, for one writer at a time."""

from __future__ import annotations

import errno
import functools
import os
import socket
import sys
import weakref
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from batchata.disk import make_folder
from batchata.errors import StateError, StateLockedError

if sys.platform == "win32":
    import msvcrt

    def _grab(descriptor: int) -> bool:
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # far behind the text: what is locked cannot be read
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _grab(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock.

    Attributes:
        host: the machine's name.
        pid: the process.
        started: when the process began, as the kernel counts, so that another with its pid is not taken for it;
            ``None`` where the system does not tell.
        boot: the kernel's name for its own start, the same in all containers of a machine; ``None`` likewise.
        since: when it took the lock.
    """

    host: str
    pid: int
    started: int | None
    boot: str | None
    since: datetime

    @classmethod
    def me(cls) -> Holder:
        """This process, now."""
        pid = os.getpid()
        return cls(socket.gethostname(), pid, _started(pid), _boot(), datetime.now(UTC))

    def __str__(self) -> str:
        return f"process {self.pid} on host {self.host!r}, since {self.since.isoformat(timespec='seconds')}"

    def is_dead(self) -> bool:
        """Whether the process is surely gone, given that the system no longer holds the lock for it.

        Of a process on another machine the system may not know. A heartbeat would tell no better: that of a laptop
        asleep stops, and its run goes on when it wakes. Two runs would then buy the same, so a person must look.
        """
        if self.host != socket.gethostname() and (self.boot is None or self.boot != _boot()):
            return False
        return self.started is None or self.boot != _boot() or self.started != _started(self.pid)

    def may_be_at_work(self) -> bool:
        """As far as it can be told without the lock."""
        if self.started is None and self.host == socket.gethostname():
            return sys.platform == "win32" or _exists(self.pid)
        return not self.is_dead()


class FileLock:
    """Held from its making until ``release`` or the death of the process.

    The system's own lock on the file decides, so it ends with the process, and of two that want a dead one's lock
    one gets it. The text in the file says whose it is; it also keeps out other machines where the system's lock does
    not reach them.
    """

    _descriptor: int | None = None

    def __init__(self, path: Path, name: str) -> None:
        """Take the lock ``path`` of the state ``name``; raises ``StateLockedError`` where another holds it."""
        self._path = path
        self._name = name
        try:
            make_folder(path.parent)
            while self._descriptor is None:
                self._descriptor = self._take()
        except OSError as error:
            raise StateError(
                f"The state {name!r} cannot be locked: {str(path)!r}: {error.strerror}. Make it writable, or name "
                f"another place for the state."
            ) from error
        self._forget_in_forks()

    def __del__(self) -> None:
        """For an interrupt that came before anybody could say ``release``: the process may live on for days."""
        self.release()

    def check(self) -> None:
        """Raises ``StateLockedError`` if the lock was broken, so that two never write."""
        if self._descriptor is None:
            raise StateError(
                f"The state {self._name!r} was closed, or opened by the process that this one forked from."
            )
        try:
            is_mine = _is_at(self._descriptor, self._path)
        except OSError:
            is_mine = False
        if not is_mine:
            raise StateLockedError(
                f"The lock of the state {self._name!r} was taken away from this process: {str(self._path)!r} was "
                f"deleted or replaced. Nothing more is written. If no other process works on the run, take it up again."
            )

    def release(self) -> None:
        """Give the lock back. Does nothing where it is not held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        try:
            if _is_at(descriptor, self._path):
                os.ftruncate(descriptor, 0)
                if sys.platform != "win32":  # first, or it might be the next holder's
                    self._path.unlink()
        except OSError:
            pass  # what is left behind is taken over as a dead process's
        finally:
            os.close(descriptor)

    def _take(self) -> int | None:
        """The locked file; ``None`` if its last holder removed it meanwhile."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if self._claim(descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    def _claim(self, descriptor: int) -> bool:
        got = _grab(descriptor)
        os.lseek(descriptor, 0, os.SEEK_SET)
        text = os.read(descriptor, 4096).strip(b"\0")  # which a power cut can leave in place of what was written
        if not got:
            raise self._refusal(text, is_held=True)
        if not _is_at(descriptor, self._path):
            return False
        if text and ((holder := _parse(text)) is None or not holder.is_dead()):
            raise self._refusal(text, is_held=False)
        try:
            _sign(descriptor)
        except BaseException:
            os.ftruncate(descriptor, 0)  # this process lives on, so what it wrote would count as held
            raise
        return True

    def _refusal(self, text: bytes, *, is_held: bool) -> StateError:
        holder = _parse(text)
        if holder is None and text:
            return StateError(
                f"{str(self._path)!r}, which should lock the state {self._name!r}, is not a lock file of this library. "
                f"Delete it if nothing else needs it, or name another place for the state."
            )
        if holder is None:
            return StateLockedError(
                f"The state {self._name!r} is in use by a process that has only just begun. Wait until it ends, or "
                f"end it; then take the run up again."
            )
        way_out = (
            "Wait until it ends, or end it; then take the run up again."
            if is_held
            else f"If you are sure that it does not run any more, delete {str(self._path)!r} and take the run up again."
        )
        return StateLockedError(f"The state {self._name!r} is in use by {holder}. {way_out}")

    def _forget_in_forks(self) -> None:
        """A forked child would hold the lock on after our death, and release it in our place."""
        drop = weakref.WeakMethod(self._drop)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lambda: (mine := drop()) and mine())

    def _drop(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def read_holder(path: Path) -> Holder | None:
    """Who seems to hold the lock ``path``, without touching it; ``None`` where nobody does, or it cannot be read."""
    try:
        text = path.read_bytes().strip(b"\0")
    except OSError:
        return None
    holder = _parse(text)
    return holder if holder is not None and holder.may_be_at_work() else None


@functools.cache
def _holders() -> TypeAdapter[Holder]:
    return TypeAdapter(Holder)


def _parse(text: bytes) -> Holder | None:
    try:
        return _holders().validate_json(text)
    except ValueError:
        return None


def _sign(descriptor: int) -> None:
    """Write into a lock file that this process holds it."""
    text = _holders().dump_json(Holder.me())
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    if os.write(descriptor, text) < len(text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one that has this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _started(pid: int) -> int | None:
    """When a process began, in ticks since the machine did; ``None`` if it is gone or the system has no ``/proc``."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # behind the name, which may hold anything
    return None if fields[0] in "ZX" else int(fields[19])


def _boot() -> str | None:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return None
