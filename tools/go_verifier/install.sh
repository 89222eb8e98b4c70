#!/bin/sh
# Installs what the Go verifier is built with: Debian's Go and its copy of golang.org/x/mod. No module is downloaded.
set -eu
MODULE=/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog
present() { command -v go >/dev/null 2>&1 && [ -d "$MODULE" ]; }
present && exit 0
advice="install them by hand: apt-get install golang-go golang-golang-x-mod-dev"
command -v apt-get >/dev/null 2>&1 || {
    echo "Go and golang.org/x/mod are missing, and this machine has no apt-get. Debian and Ubuntu have both; $advice" >&2
    exit 1
}
[ "$(id -u)" = 0 ] || {
    echo "Go and golang.org/x/mod are missing, and only root can install packages; $advice" >&2
    exit 1
}
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install --quiet --yes --no-install-recommends golang-go golang-golang-x-mod-dev; }
# the lists of packages may be absent (images leave them out) or too old
install || { apt-get update --quiet && install; }
present || {
    echo "the packages are installed, but 'go' or $MODULE is not there" >&2
    exit 1
}
