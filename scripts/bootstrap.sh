#!/bin/sh
# Makes .venv with what is asked for: `base` to run Reelfarm, `dev` to test it too (with a redis-server).
# Does nothing when that is there already.
set -eu
cd "$(dirname "$0")/.."

want=${1:-base}
key=$(cat pyproject.toml constraints.txt | sha256sum | cut -d ' ' -f 1)

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

apt_install() {
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" = 0 ]; then as_root=; elif command -v sudo >/dev/null; then as_root=sudo; else return 1; fi
    say "installing $* with apt-get"
    $as_root apt-get update -qq >&2 || return 1
    # shellcheck disable=SC2086  # empty when we are root
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

find_python() {
    for name in python3 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

make_venv() {
    python=$(find_python) || {
        apt_install python3.11 python3.11-venv && python=$(find_python)
    } || die "Python 3.11 or newer is needed; on Debian or Ubuntu: apt-get install python3.11 python3.11-venv"
    # Debian ships venv without the pip it needs.
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        apt_install "$package" || die "$python has no ensurepip; install the package $package"
    fi
    say "making .venv with $("$python" --version)"
    "$python" -m venv .venv
}

has() { [ -f ".venv/.installed-$1" ] && [ "$(cat ".venv/.installed-$1")" = "$key" ]; }

if ! has dev && ! { [ "$want" = base ] && has base; }; then
    # One that was moved or whose Python is gone does not start.
    .venv/bin/python -c '' 2>/dev/null || { rm -rf .venv; make_venv; }
    [ "$want" = dev ] && project='.[dev,gpu]' || project=.
    say "installing Reelfarm into .venv (some 100 packages, a few minutes on a slow line)"
    # Bytecode is written when a module is first imported: compiling all of it takes longer than the download.
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile \
        --constraint constraints.txt --editable "$project"
    # That of the api process is written now, or where Python is told to write none, every start would take twice as long.
    env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -c 'import control_plane.app'
    printf '%s' "$key" >".venv/.installed-$want"
fi

if [ "$want" = dev ] && ! command -v redis-server >/dev/null; then
    apt_install redis-server && command -v redis-server >/dev/null ||
        die "the tests need a redis-server; on Debian or Ubuntu: apt-get install redis-server"
fi
