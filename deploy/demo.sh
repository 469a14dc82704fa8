#!/usr/bin/env bash
# From a bare Debian machine to a cloud mask on a map: set up, start, mask, show.
#
#     bash deploy/demo.sh [--json]
#
# Run again, it only shows. `.venv/bin/nimbostac down` stops what it started.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bash "$root/deploy/setup.sh" stack
exec "$root/.venv/bin/nimbostac" demo "$@"
