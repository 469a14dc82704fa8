#!/usr/bin/env bash
# Everything that a change has to pass; arguments go to pytest.
#
#     bash deploy/test.sh [-k WORDS ...]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
bash deploy/setup.sh dev
bin=$root/.venv/bin
output=$(mktemp)
trap 'rm -f "$output"' EXIT

# check TITLE COMMAND...: quiet if it passes.
check() {
    local title=$1
    shift
    if "$@" >"$output" 2>&1; then
        printf '%s: passed\n' "$title"
    else
        printf '%s: failed\n' "$title"
        cat "$output"
        exit 1
    fi
}

check "ruff check" "$bin/ruff" check --quiet
check "ruff format" "$bin/ruff" format --check --quiet
check "mypy" "$bin/mypy"
check "imports" "$bin/lint-imports"
check "shell scripts" shellcheck deploy/*.sh web/*.sh
check "page types" npm --prefix web run check
check "page modules" npm --prefix web test
# Half of the time the tests wait for servers: a file on each core, as many as there are up to four.
# In their own order, or the few long tests of what may break would come last and alone.
"$bin/python" -m pytest --quiet --numprocesses auto --maxprocesses 4 --dist loadfile \
    --no-loadscope-reorder "$@"
