import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.errors import HomeError, ListenError, MissingServerError, PortTakenError, StackRunsError
from deploy.settings import DeploySettings
from deploy.stack import logs, plan, ports, programs
from deploy.stack.accounts import server_account
from deploy.stack.home import Home
from deploy.stack.state import StackState, now


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken


def test_ports_are_chosen_once_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    names = ("postgres", "redis")
    first = ports.choose(file, names)
    assert len(set(first.numbers.values())) == 2
    assert ports.choose(file, names) == first
    assert first.moved == ()
    api = ports.listen(file, "127.0.0.1", None)
    api.socket.close()
    again = ports.listen(file, "127.0.0.1", None)
    again.socket.close()
    assert (again.port, again.moved) == (api.port, ())
    assert json.loads(file.read_text()) == {**first.numbers, "api": api.port}


def test_a_port_that_another_took_is_chosen_again_and_that_is_said(
    tmp_path: Path, listener: socket.socket
) -> None:
    file = tmp_path / "ports.json"
    taken = listener.getsockname()[1]
    said = f"port {taken} is taken by another process; "
    file.write_text(json.dumps({"api": taken, "postgres": taken, "redis": 1}))
    chosen = ports.choose(file, ("postgres",))
    assert chosen.moved == (f"{said}postgres moves to port {chosen.numbers['postgres']}",)
    api = ports.listen(file, "127.0.0.1", None)
    with api.socket:
        assert api.moved == (f"{said}api moves to port {api.port}",)
    # What is not asked for today is remembered all the same.
    assert json.loads(file.read_text()) == {"redis": 1, **chosen.numbers, "api": api.port}


def test_a_port_is_held_from_its_choice_on(tmp_path: Path) -> None:
    one = ports.listen(tmp_path / "one.json", "127.0.0.1", None)
    other = ports.listen(tmp_path / "other.json", "127.0.0.1", None)
    with one.socket, other.socket:
        assert one.port != other.port
        with pytest.raises(PortTakenError):
            ports.listen(tmp_path / "third.json", "127.0.0.1", one.port)


def test_small_answers_of_the_api_wait_for_nothing(tmp_path: Path) -> None:
    api = ports.listen(tmp_path / "ports.json", "127.0.0.1", None)
    with api.socket, socket.create_connection(("127.0.0.1", api.port)):
        accepted, _ = api.socket.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_by_number_is_had_or_refused(tmp_path: Path, listener: socket.socket) -> None:
    taken = listener.getsockname()[1]
    with pytest.raises(PortTakenError, match=str(taken)):
        ports.listen(tmp_path / "ports.json", "127.0.0.1", taken)


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "no-host.invalid"])
def test_an_address_of_another_machine_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(ListenError, match=f"cannot listen on port 8080 of {host}: .*--host"):
        ports.listen(tmp_path / "ports.json", host, None)


def test_one_supervisor_at_a_time_holds_a_home(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with home.locked(), pytest.raises(StackRunsError, match="runs already"), home.locked():
        pass
    with home.locked():
        pass


def test_a_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.secret("redis") == home.secret("redis") != home.secret("postgres")
    assert (tmp_path / "secrets" / "redis").stat().st_mode & 0o777 == 0o600


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HomeError, match="cannot be made"):
        Home(tmp_path / "file" / "home").prepare()


def test_a_state_file_that_is_damaged_is_no_state(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    assert StackState.read(file) is None
    file.write_text("{")
    assert StackState.read(file) is None
    StackState(state="ready", pid=os.getpid(), started_ticks=1).write(file)
    read = StackState.read(file)
    assert read is not None
    # The number is ours, the start is not: it is another process.
    assert read.supervisor is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands servers to other users")
def test_a_folder_that_the_server_cannot_get_to_is_told_with_what_shuts_it() -> None:
    shut = Path(tempfile.mkdtemp())
    account = server_account("postgres")
    assert account is not None
    try:
        with pytest.raises(HomeError, match=f"{shut} is closed to it"):
            account.own(shut / "server")
        shut.chmod(0o711)
        account.own(shut / "server")
        assert (shut / "server").stat().st_uid == account.uid
    finally:
        shutil.rmtree(shut)


def test_a_missing_postgresql_is_told_with_its_package(tmp_path: Path) -> None:
    with pytest.raises(MissingServerError, match=r"apt-get install .*postgresql-postgis"):
        programs.find_postgres(Home(tmp_path), tmp_path)


def test_a_cluster_of_another_version_is_left_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.postgres.mkdir()
    (home.postgres / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(HomeError, match=r"was made by PostgreSQL 9\.6, and there is only"):
        programs.find_postgres(home, None)


@pytest.mark.parametrize(
    ("store", "wanted"),
    [
        (None, "{home}/masks"),
        ("masks", "{here}/masks"),
        ("/data/masks", "/data/masks"),
        ("s3://bucket/masks", "s3://bucket/masks"),
    ],
)
def test_masks_are_kept_where_the_caller_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str | None, wanted: str
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    told = plan._store(DeploySettings(store_url=store), Home(tmp_path / "home"))
    assert told == wanted.format(home=tmp_path / "home", here=here)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("masks.example", "http://masks.example:8080"),
    ],
)
def test_an_address_can_be_opened_whatever_is_listened_on(host: str, url: str) -> None:
    assert plan._url(host, 8080) == url


@pytest.mark.parametrize("count", [0, 1, 3, 1000])
def test_the_end_of_a_log_is_read_however_long_it_is(tmp_path: Path, count: int) -> None:
    file = tmp_path / "long.log"
    lines = [f"{number} " + "x" * 300 for number in range(500)]
    file.write_text("\n".join(lines) + "\n")
    last, size = logs.tail(file, count)
    assert last == (lines[-count:] if count else [])
    assert size == file.stat().st_size


def test_new_lines_of_a_log_are_followed_whole(tmp_path: Path) -> None:
    file = tmp_path / "part.log"
    file.write_text("old\n")
    _, size = logs.tail(file, 1)
    following = logs.follow({"part": file}, {"part": size})
    with file.open("a") as log:
        log.write("one\ntw")
        log.flush()
        assert next(following) == ("part", "one")
        log.write("o\n")
        log.flush()
        assert next(following) == ("part", "two")
    file.write_text("new\n")
    assert next(following) == ("part", "new")


def test_a_time_is_in_whole_seconds_of_utc() -> None:
    assert now().isoformat().endswith("+00:00")
    assert now().microsecond == 0
