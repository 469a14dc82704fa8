import json
import os
import pwd
import signal
import socket
from pathlib import Path

import httpx
import psycopg
import pytest
import redis

from tests import servers
from tests.stacks import Stack, stack, wait_until

PARTS = ["postgres", "redis", "dispatcher", "worker", "api"]


def query(running: Stack, statement: str) -> str:
    told = running.servers
    with psycopg.connect(
        host=told["PGHOST"],
        port=told["PGPORT"],
        user=told["PGUSER"],
        password=told["PGPASSWORD"],
        dbname=told["PGDATABASE"],
        autocommit=True,
    ) as connection:
        found = connection.execute(statement)
        return str(found.fetchone()[0]) if found.description else ""


def test_a_stack_that_is_up_tells_where_everything_is_and_all_of_it_answers(
    running_stack: Stack,
) -> None:
    status = json.loads(running_stack.run("status", "--json").stdout)
    assert status["state"] == "ready"
    assert [(part["name"], part["state"]) for part in status["parts"]] == [
        (name, "running") for name in PARTS
    ]
    assert httpx.get(status["map"]).headers["content-type"].startswith("text/html")
    assert httpx.get(status["stac"]).json()["type"] == "Catalog"
    assert httpx.get(f"{status['tiler']}/healthz").is_success
    assert httpx.get(f"{status['url']}/healthz/ready").json()["status"] == "ready"


def test_the_database_is_migrated_and_compiles_no_query(running_stack: Stack) -> None:
    assert query(running_stack, "SELECT pgstac.get_version()").startswith("0.")
    assert query(running_stack, "SHOW jit") == "off"


def test_no_password_is_told_and_nobody_gets_in_without(running_stack: Stack) -> None:
    told = running_stack.servers
    status = running_stack.run("status", "--json").stdout
    assert told["PGPASSWORD"] not in status
    assert told["NIMBOSTAC_REDIS_URL"] not in status
    assert (running_stack.home / "environment.json").stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=told["PGPORT"], user="nimbostac", dbname="nimbostac")
    bare = redis.Redis(port=running_stack.part("redis")["port"])
    with pytest.raises(redis.AuthenticationError):
        bare.ping()
    bare.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to give up")
@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_a_server_never_runs_as_root(running_stack: Stack, name: str) -> None:
    owner = Path(f"/proc/{running_stack.part(name)['pid']}").stat().st_uid
    assert pwd.getpwuid(owner).pw_name in (name, "nobody")


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_is_killed_comes_back_and_that_is_told(running_stack: Stack, name: str) -> None:
    before = running_stack.part(name)
    os.kill(before["pid"], signal.SIGKILL)
    wait_until(lambda: running_stack.part(name)["restarts"] > before["restarts"])
    wait_until(lambda: running_stack.status()["state"] == "ready")
    after = running_stack.part(name)
    assert after["state"] == "running"
    assert after["pid"] != before["pid"]
    assert f"{before['title']} (process {before['pid']}) died" in running_stack.log("stack")
    assert f"{before['title']} runs again" in running_stack.log("stack")
    assert httpx.get(f"{running_stack.status()['stac']}/collections").is_success


def test_a_second_up_says_that_the_stack_runs_already(running_stack: Stack) -> None:
    second = running_stack.run("up")
    assert second.returncode == 1
    assert "runs already" in second.stderr
    assert running_stack.status()["url"] in second.stderr
    assert running_stack.run("up", "--detach").returncode == 0
    assert running_stack.status()["state"] == "ready"


def test_a_command_beside_the_stack_finds_its_servers(running_stack: Stack) -> None:
    port = running_stack.part("postgres")["port"]
    assert f"127.0.0.1:{port}" in running_stack.run("migrate").stdout


def test_what_the_environment_says_goes_before_the_running_stack(running_stack: Stack) -> None:
    beside = Stack(running_stack.home, {"PGHOST": "127.0.0.1", "PGPORT": "1"})
    failed = beside.run("migrate")
    assert failed.returncode == 1
    assert "127.0.0.1:1" in failed.stderr


def test_logs_are_read_together_or_by_part(running_stack: Stack) -> None:
    everything = running_stack.run("logs").stdout
    assert "postgres   | " in everything
    assert "api        | " in everything
    assert "Uvicorn running" in running_stack.run("logs", "api", "-n", "100").stdout
    unknown = running_stack.run("logs", "nobody")
    assert unknown.returncode == 1
    assert "there are api, dispatcher, migrate, postgres, redis, stack, worker" in unknown.stderr


def test_a_killed_supervisor_leaves_nothing_that_wedges_the_next_one() -> None:
    with stack() as made:
        made.up()
        first = made.status()
        query(made, "CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(first["pid"], signal.SIGKILL)
        wait_until(lambda: made.status()["state"] == "stopped")
        assert {part["state"] for part in made.status()["parts"]} == {"left behind"}
        assert "5 parts were left behind" in made.run("status").stderr

        made.up()
        second = made.status()
        assert second["url"] == first["url"]
        old, new = ({part["pid"] for part in status["parts"]} for status in (first, second))
        assert not old & new
        assert query(made, "SELECT answer FROM kept") == "42"
        assert "was left behind; it is stopped" in made.log("stack")

        os.kill(second["pid"], signal.SIGKILL)
        wait_until(lambda: made.status()["state"] == "stopped")
        made.down()
        assert made.processes() == set()
        assert made.run("down").returncode == 1


def test_servers_that_the_environment_names_are_used_and_left_alone(
    pg_server: servers.Postgres, redis_server: servers.Redis, tmp_path: Path
) -> None:
    with psycopg.connect(
        host="127.0.0.1", port=pg_server.port, user="postgres", dbname="postgres", autocommit=True
    ) as server:
        server.execute("CREATE DATABASE outside")
    named = {
        **pg_server.environment,
        "PGDATABASE": "outside",
        "NIMBOSTAC_REDIS_URL": redis_server.url,
        "NIMBOSTAC_STORE_URL": str(tmp_path / "masks"),
    }
    with stack(named) as made:
        process = made.start("up")
        wait_until(lambda: made.status()["state"] == "ready" or process.poll() is not None)
        status = made.status()
        assert [(part["name"], part["state"]) for part in status["parts"]] == [
            ("postgres", "external"),
            ("redis", "external"),
            ("store", "external"),
            ("dispatcher", "running"),
            ("worker", "running"),
            ("api", "running"),
        ]
        assert status["database"] == f"postgresql://postgres@127.0.0.1:{pg_server.port}/outside"
        assert httpx.get(f"{status['url']}/healthz/ready").is_success
        # As ctrl-C does.
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
        assert made.processes() == set()
        assert not (made.home / "postgres").exists()
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.ping()


def test_two_stacks_that_start_at_once_do_not_share_an_address() -> None:
    with stack() as one, stack() as other:
        starts = [made.start("up", "--detach") for made in (one, other)]
        for start in starts:
            output, _ = start.communicate(timeout=120)
            assert start.returncode == 0, output
        assert one.status()["url"] != other.status()["url"]
        for made in (one, other):
            assert httpx.get(f"{made.status()['url']}/healthz/ready").is_success


def test_a_database_that_does_not_answer_is_told_and_nothing_is_left_running() -> None:
    with stack({"PGHOST": "127.0.0.1", "PGPORT": "1", "PGDATABASE": "none"}) as made:
        failed = made.run("up", "--detach")
        assert failed.returncode == 1
        assert "Migration of the database failed" in failed.stderr
        assert "127.0.0.1:1" in failed.stderr
        assert made.processes() == set()
        assert made.run("status").returncode == 1


def test_a_port_that_was_asked_for_must_be_free() -> None:
    with stack() as made, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        failed = made.run("up", "--detach", "--port", port)
        assert made.processes() == set()
    assert failed.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken" in failed.stderr
