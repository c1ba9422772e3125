#!/bin/sh
# Makes the virtual environment (.venv) and installs pinned packages into it: scripts/setup.sh REQUIREMENTS STAMP
#
# Needs nothing but a Python of 3.11 or later; PYTHON=... names one, otherwise the first that fits is taken. A failure ends
# in one line that says what to do. STAMP is touched when all is done, so make knows that it need not come here again.
set -eu

requirements=$1
stamp=$2
cd "$(dirname "$0")/.."

fail() {
    printf 'journeymap: %s\n' "$1" >&2
    exit 1
}

fits() {
    # A name on PATH may be a stub that only prints advice, so ask it to run.
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    # Versions that the pinned packages are tested with first; a later one is better than none.
    for name in ${PYTHON:-python3.13 python3.12 python3.11 python3 python python3.14}; do
        if fits "$name"; then
            echo "$name"
            return
        fi
    done
    fail "${PYTHON:+$PYTHON does not fit: }Python 3.11 or later is needed: install it (Debian, Ubuntu: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3 …"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

make_environment() {
    if "$1" -m venv --clear .venv >/dev/null 2>&1; then
        return
    fi
    # Debian's python3 comes without ensurepip, which venv needs; its package is named after the version.
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if command -v apt-get >/dev/null 2>&1; then
        echo "Installing python$version-venv, which Debian keeps apart from Python …"
        as_root sh -c "apt-get update -qq && apt-get install -qq -y python$version-venv" >/dev/null 2>&1 || true
        if "$1" -m venv --clear .venv >/dev/null 2>&1; then
            return
        fi
    fi
    rm -rf .venv
    fail "Python's venv module does not work with $1: install it (Debian, Ubuntu: apt-get install python$version-venv), then run make again"
}

install_packages() {
    # Shows what pip is at, on a terminal in one line that moves, otherwise not at all; the log is shown when it fails.
    total=$(cat requirements.txt "$requirements" | sort -u | grep -c '==')
    log=.venv/install.log
    count=0
    { .venv/bin/python -m pip install --disable-pip-version-check --no-input --requirement "$requirements" 2>&1; echo "exit $?"; } |
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$log"
        case $line in
            Collecting\ *|Requirement\ already\ *)
                count=$((count + 1))
                if [ -t 1 ]; then printf '\r\033[K  %s of %s packages' "$count" "$total"; fi ;;
            Installing\ collected*)
                if [ -t 1 ]; then printf '\r\033[K  writing them …'; fi ;;
        esac
    done
    if [ -t 1 ]; then printf '\r\033[K'; fi
    if [ "$(tail -n 1 "$log")" != "exit 0" ]; then
        grep -v '^exit ' "$log" | tail -n 15 >&2
        fail "the packages could not be installed; the whole log is in $log"
    fi
}

if ! fits .venv/bin/python; then
    python=$(find_python)
    echo "Making .venv with $("$python" --version) …"
    make_environment "$python"
fi
echo "Installing the packages of $requirements (a minute or so the first time) …"
: >.venv/install.log
install_packages
# The project itself, from this checkout; everything it needs is there already, so nothing is looked up.
.venv/bin/python -m pip install --disable-pip-version-check --quiet --no-input --no-deps --no-build-isolation --editable . ||
    fail "Journeymap itself could not be installed into .venv"
touch "$stamp"
