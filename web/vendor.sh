#!/bin/sh
# Bring what the page needs of other people's work to web/vendor/: MapLibre GL and Natural
# Earth; SQLite and PROJ's formulas, which are loaded where somebody drops a GeoPackage.
# Does nothing where this very lock file has been dealt with already.
set -eu
cd "$(dirname "$0")"

# One at a time: tests that run side by side all come by here.
mkdir -p ../build
exec 9>../build/vendor.lock
flock 9
stamp=$(cat package-lock.json vendor.sh vendor.js | cksum)
[ "$(cat vendor/stamp 2>/dev/null || true)" != "$stamp" ] || exit 0

command -v npm >/dev/null || {
    echo "web/vendor.sh: npm is missing; install it (Debian: apt-get install npm) and try again" >&2
    exit 1
}
# In a folder of its own: web/node_modules holds a developer's tools, which this must not remove.
part=vendor.part
trap 'rm -rf "$part"' EXIT
rm -rf "$part"
mkdir "$part"
cp package.json package-lock.json .npmrc vendor.js "$part/"
# A dependency may ask for a newer Node than Debian's; nothing of it runs there but vendor.js.
if ! log=$(cd "$part" && npm ci --ignore-scripts --omit=dev --loglevel=error 2>&1); then
    printf '%s\n' "$log" >&2
    exit 1
fi
node "$part/vendor.js" "$part/files"
printf '%s\n' "$stamp" >"$part/files/stamp"
rm -rf vendor
mv "$part/files" vendor
