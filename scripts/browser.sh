#!/bin/sh
# Finds the browser that the page's tests run in and prints its path; installs Debian's chromium where none is found.
#
# CHROMIUM=... names one. Without the right to install, one line says what to do. A missing browser fails the tests.
set -eu

fail() {
    printf 'journeymap: %s\n' "$1" >&2
    exit 1
}

find_browser() {
    if [ -n "${CHROMIUM:-}" ]; then
        command -v "$CHROMIUM" || fail "CHROMIUM=$CHROMIUM is not a program"
        return
    fi
    for name in chromium chromium-browser google-chrome google-chrome-stable \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" /Applications/Chromium.app/Contents/MacOS/Chromium; do
        if command -v "$name" 2>/dev/null; then
            return
        fi
    done
    return 1
}

install_browser() {
    command -v apt-get >/dev/null 2>&1 || return 1
    if [ "$(id -u)" = 0 ]; then
        run=""
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        run="sudo -n"
    else
        return 1
    fi
    echo "Installing chromium for the tests of the page (a minute or two) …" >&2
    $run apt-get update -qq >/dev/null 2>&1 || true
    DEBIAN_FRONTEND=noninteractive $run apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core >/dev/null 2>&1
}

if find_browser; then
    exit 0
fi
if install_browser && find_browser; then
    exit 0
fi
fail "no browser for the tests of the page: install Chromium or Chrome (Debian: apt-get install chromium), or name one with CHROMIUM=/path/to/it"
