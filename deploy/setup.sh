#!/usr/bin/env bash
# Bring what the stack needs to this machine and to .venv, where it is not there yet.
#
#     deploy/setup.sh stack    what `nimbostac demo` needs, KappaMask's packages only where its
#                              weights are: they are large
#     deploy/setup.sh dev      what the tests need on top of it
#
# Silent when there is nothing to do. What it does is written to build/setup.log.
set -euo pipefail

kind=${1:?"say what for: stack or dev"}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
venv=$root/.venv
log=$root/build/setup.log
mkdir -p build

# One set-up at a time: pip and npm do not share a folder.
exec 9>build/setup.lock
flock 9

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$@"
    exit 1
}

# step TITLE COMMAND...: run a command with its output in the log; after a second, say so.
step() {
    local title=$1 began=$SECONDS told=no pid code=0 tick=0 signs='-\|/'
    shift
    printf '\n== %s (%s)\n' "$title" "$(date -u +%FT%TZ)" >>"$log"
    "$@" >>"$log" 2>&1 </dev/null &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.1
        tick=$((tick + 1))
        [ $tick -ge 10 ] || continue
        if [ -t 2 ]; then
            printf '\r%s %s ... %s s ' "${signs:tick % 4:1}" "$title" $((SECONDS - began)) >&2
        elif [ $told = no ]; then
            told=yes
            say "$title ..."
        fi
    done
    [ ! -t 2 ] || printf '\r\033[K' >&2
    wait "$pid" || code=$?
    if [ "$code" -ne 0 ]; then
        say "$title failed. The end of $log:"
        tail -n 25 "$log" >&2
        exit "$code"
    fi
}

has() { command -v "$1" >/dev/null 2>&1; }

any() { [ -e "$1" ]; }

# --- What the system has to bring ---------------------------------------------------------

# Print a Python of version 3.11 or newer; one that only a version manager promises is none.
find_python() {
    local name
    for name in "${PYTHON:-}" python3.11 python3.12 python3.13 python3.14 python3; do
        [ -n "$name" ] || continue
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

missing_packages() {
    local python version
    if ! any /usr/lib/postgresql/*/bin/initdb && ! has initdb; then
        echo postgresql postgresql-postgis
    elif any /usr/lib/postgresql/*/bin/initdb; then
        version=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
        version=${version#/usr/lib/postgresql/}
        version=${version%%/*}
        [ -e "/usr/share/postgresql/$version/extension/postgis.control" ] ||
            echo "postgresql-$version-postgis-3"
    fi
    has redis-server || has valkey-server || echo redis-server
    if python=$(find_python); then
        if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
        fi
    else
        echo python3 python3-venv
    fi
    if [ ! -e web/vendor/stamp ]; then
        has node || echo nodejs
        has npm || echo npm
    fi
    if [ "$kind" = dev ]; then
        [ ! -e web/vendor/stamp ] || { has node || echo nodejs; has npm || echo npm; }
        has chromium || echo chromium
        has gdalinfo || echo gdal-bin
        has shellcheck || echo shellcheck
        has faketime || echo faketime
    fi
}

as_root=()
clean_up=()

undo() {
    local file
    for file in "${clean_up[@]}"; do
        "${as_root[@]}" rm -f "$file"
    done
}

# put FILE MODE TEXT: write a file of the system that undo takes away again.
put() {
    clean_up+=("$1")
    "${as_root[@]}" mkdir -p "$(dirname "$1")"
    printf '%s\n' "$3" | "${as_root[@]}" tee "$1" >/dev/null
    "${as_root[@]}" chmod "$2" "$1"
}

apt_install() {
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y)
    # Without lists nothing is found, with old ones what is gone; a list that cannot be
    # fetched is no reason to stop as long as the packages can.
    "${apt[@]}" install --no-install-recommends "$@" && return
    "${apt[@]}" update || true
    "${apt[@]}" install --no-install-recommends "$@"
}

install_packages() {
    local wanted="$*"
    has apt-get || fail "This needs $wanted (as Debian calls them). Install them and try again."
    if [ "$(id -u)" -ne 0 ]; then
        has sudo || fail "This needs $wanted, and you are neither root nor have sudo." \
            "Ask your administrator for: apt-get install --no-install-recommends $wanted"
        as_root=(sudo)
        if [ -t 0 ]; then
            say "sudo is needed to install $wanted"
            sudo -v || fail "Without sudo, ask your administrator for: apt-get install $wanted"
        else
            as_root=(sudo -n)
            sudo -n true 2>/dev/null || fail "This needs $wanted, and sudo asks for a password." \
                "Run in a terminal, or first: sudo apt-get install --no-install-recommends $wanted"
        fi
    fi
    trap undo EXIT
    # The stack runs private servers: nothing that is installed for it may start by itself.
    [ -e /usr/sbin/policy-rc.d ] || put /usr/sbin/policy-rc.d 755 $'#!/bin/sh\nexit 101'
    case " $wanted " in *" postgresql "*)
        put /etc/postgresql-common/createcluster.d/nimbostac.conf 644 'create_main_cluster = false'
        ;;
    esac
    step "Installing $wanted" apt_install "$@"
    case " $wanted " in *" redis-server "*)
        "${as_root[@]}" update-rc.d redis-server disable >>"$log" 2>&1 || true
        ;;
    esac
    undo
    trap - EXIT
}

# --- What lies in the repository ----------------------------------------------------------

make_venv() {
    local python
    # A folder that was moved, or whose Python is gone, cannot be mended.
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 && return
    python=$(find_python) || fail "This needs Python 3.11 or newer; name one in PYTHON."
    step "Making .venv" "$python" -m venv --clear "$venv"
}

# What the virtual environment was made from; another place or content means again.
fingerprint() {
    { cat pyproject.toml deploy/constraints.txt deploy/setup.sh; printf '%s' "$root"; } | cksum
}

install_python_packages() {
    local extras=$kind weights=${NIMBOSTAC_CACHE_DIR:-~/.cache/nimbostac}/kappamask stamp now
    if [ "$kind" = stack ] && any "$weights"/*.safetensors; then
        extras=stack,kappamask
    fi
    stamp=$venv/nimbostac-$extras
    now=$(fingerprint)
    # Everything of the stack is in dev, too.
    for made in "$stamp" "$venv/nimbostac-dev"; do
        [ "$(cat "$made" 2>/dev/null || true)" != "$now" ] || return 0
    done
    step "Installing Python packages" "$venv/bin/python" -m pip install --progress-bar off \
        --disable-pip-version-check --constraint deploy/constraints.txt --editable ".[$extras]"
    printf '%s\n' "$now" >"$stamp"
}

fetch_type_checker() {
    local stamp=web/node_modules/nimbostac-dev now
    now=$(cksum <web/package-lock.json)
    [ "$(cat "$stamp" 2>/dev/null || true)" != "$now" ] || return 0
    (cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    printf '%s\n' "$now" >"$stamp"
}

packages=$(missing_packages | tr '\n' ' ')
if [ -n "${packages// /}" ]; then
    # shellcheck disable=SC2086 # one word a package
    install_packages $packages
fi
make_venv
install_python_packages
step "Fetching the map library" sh web/vendor.sh
if [ "$kind" = dev ]; then
    step "Fetching the page's type checker" fetch_type_checker
fi
