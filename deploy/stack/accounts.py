"""The user that a server runs as: never root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from deploy.errors import HomeError


class SpawnAs(TypedDict, total=False):
    """Arguments of ``subprocess`` that change the user of the child."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine that root hands a server to."""

    name: str
    uid: int
    gid: int

    @property
    def spawn(self) -> SpawnAs:
        """What makes ``subprocess`` start a child as this user, in its own group only."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can(self, test: str, path: Path) -> bool:
        """Try ``test -r``, ``-w`` or ``-x`` as this user."""
        # Asked of the kernel as that user: access lists and capabilities count too.
        asked = subprocess.run(  # noqa: S603 - a fixed command and our own path
            ["/usr/bin/test", test, path], check=False, cwd="/", **self.spawn
        )
        return asked.returncode == 0

    def own(self, folder: Path) -> None:
        """Make a folder that only this user may enter.

        Raises:
            HomeError: The user cannot get to it.
        """
        folder.mkdir(mode=0o700, exist_ok=True)
        os.chown(folder, self.uid, self.gid)
        if not self.can("-x", folder):
            shut = next(path for path in reversed(folder.parents) if not self.can("-x", path))
            raise HomeError(
                folder,
                f"cannot be reached by the user {self.name}, which has to run a server there:"
                f" {shut} is closed to it. Open that with `chmod o+x {shut}`,"
                " or set NIMBOSTAC_HOME to another folder",
            )


def server_account(preferred: str) -> Account | None:
    """Choose the user that a server runs as; ``None`` for the one who asks.

    Args:
        preferred: The user that Debian's package makes for the server.
    """
    if os.geteuid() != 0:
        return None
    for name in (preferred, "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    # Every system has a user nobody in some spelling; this is the number it has on Linux.
    return Account("nobody", 65534, 65534)
