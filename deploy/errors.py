"""What can go wrong where everything is put together and run.

::

    DeployError
    ├── MissingExtraError       a command whose packages are not installed
    ├── SettingsError           a setting that cannot be
    ├── StackError              a stack that cannot be run
    │   ├── StackRunsError      it runs already
    │   ├── StackDownError      it does not run
    │   ├── MissingServerError  PostgreSQL, PostGIS or Redis is not installed
    │   ├── HomeError           a data folder that cannot be used
    │   ├── PortTakenError      a port that was asked for by number and is not free
    │   ├── ListenError         an address that nobody can listen on
    │   └── PartError           a part that did not start or a step that failed
    ├── SampleError             a sample product that cannot be had
    └── DemoError               a demo whose addresses do not answer as they should
"""

from pathlib import Path

from pydantic import ValidationError


class DeployError(Exception):
    """Base of everything that deploy raises on purpose."""


class MissingExtraError(DeployError):
    """A command whose packages are not installed."""

    def __init__(self, command: str, package: str, extra: str) -> None:
        super().__init__(
            f"nimbostac {command} needs the package {package}, which is not installed;"
            f" install nimbostac[{extra}]"
        )


class SettingsError(DeployError):
    """A setting that cannot be; names the environment variables."""

    def __init__(self, cause: ValidationError) -> None:
        super().__init__(
            "; ".join(
                f"NIMBOSTAC_{'_'.join(str(part) for part in problem['loc']).upper()}:"
                f" {problem['msg']}, got {problem['input']!r}"
                for problem in cause.errors()
            )
        )


class StackError(DeployError):
    """A stack that cannot be run."""


class StackRunsError(StackError):
    """A stack that runs already."""

    def __init__(self, home: Path, pid: int | None, url: str | None) -> None:
        self.url = url
        super().__init__(
            f"the stack in {home} runs already"
            f"{f' as process {pid}' if pid else ''}{f', at {url}' if url else ''};"
            " look at it with `nimbostac status`, end it with `nimbostac down`"
        )


class StackDownError(StackError):
    """A stack that does not run."""

    def __init__(self, home: Path, left_behind: int = 0) -> None:
        left = (
            f"; {left_behind} parts were left behind by one that was killed:"
            " `nimbostac up` takes them over, `nimbostac down` ends them"
        )
        super().__init__(
            f"no stack runs in {home}{left if left_behind else '; start it with `nimbostac up`'}"
        )


class MissingServerError(StackError):
    """A server program that is not installed."""

    def __init__(self, name: str, package: str) -> None:
        super().__init__(
            f"{name} is not installed; on Debian: apt-get install --no-install-recommends {package}"
        )


class HomeError(StackError):
    """A data folder that cannot be used."""

    def __init__(self, home: Path, problem: str) -> None:
        super().__init__(f"the data folder {home} {problem}")


class PortTakenError(StackError):
    """A port that was asked for by number and is not free."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"port {port} of {host} is taken by another process; end that, ask for another"
            " with --port, or leave --port out to have a free one chosen"
        )


class ListenError(StackError):
    """An address that nobody can listen on: of another machine, or for root alone."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        super().__init__(
            f"the API cannot listen on port {port} of {host}: {error.strerror}; ask for an"
            " address of this machine with --host, and for a port from 1024 with --port"
        )


class PartError(StackError):
    """A part of the stack that did not start, or a step that failed; ends with its last words."""

    def __init__(self, title: str, problem: str, log: Path) -> None:
        self.log = log
        super().__init__(f"{title} {problem}; its log, {log}, ends:\n{last_lines(log, 8)}")


class SampleError(DeployError):
    """A sample product that cannot be had."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"the sample product cannot be fetched: {problem}. It needs a package index that pip"
            " reaches (a proxy or mirror is set as for any other package); once fetched it stays."
            " A SAFE folder of your own does as well: nimbostac mask PRODUCT.SAFE"
        )


class DemoError(DeployError):
    """A demo whose addresses do not answer as they should."""


def last_lines(log: Path, count: int) -> str:
    """Read the end of a log, as far as one can.

    Args:
        log: A text file that may be missing.
        count: Lines at most.
    """
    try:
        with log.open("rb") as file:
            size_bytes = file.seek(0, 2)
            file.seek(max(0, size_bytes - 65536))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return "(no log)"
    return "\n".join(f"  {line}" for line in lines[-count:]) or "  (empty)"
