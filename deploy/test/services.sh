#!/usr/bin/env bash
# Makes sure that what the tests talk to is there: PostgreSQL, MariaDB, Redis, and a Chromium.
#
# What runs already is used as it is. What does not is started; what is not installed is installed where that can be
# done without asking (Debian, as root), else run by a Docker engine. If none of these works, one line says what is
# missing, and the exit code is 1: no test is ever skipped for want of a service.
#
# A service elsewhere is named by TEST_POSTGRES, TEST_MYSQL or TEST_REDIS; it is then taken as given.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
missing=()
listed=""

open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

wait_for() { # port
  for _ in $(seq 150); do
    open "$1" && return 0
    sleep 0.2
  done
  return 1
}

debian_root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

engine() { command -v docker >/dev/null && docker compose version >/dev/null 2>&1 && docker info >/dev/null 2>&1; }

install() { # packages
  debian_root || return 1
  echo "installing $*" >&2
  if [ -z "$listed" ]; then
    apt-get update -qq >&2 || return 1
    listed=yes
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

contained() { # service of compose.yml, port
  engine && docker compose -f "$here/compose.yml" up -d --wait "$1" >&2 && wait_for "$2"
}

start_postgres() {
  local fresh=""
  if ! command -v pg_ctlcluster >/dev/null; then
    install postgresql || return 1
    fresh=yes
  fi
  local version
  version="$(find /etc/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -V | tail -1)"
  if [ -n "$fresh" ]; then # ours to set up: let the tests in from this machine
    sed -i -E 's/^(host\s+all\s+all\s+(127\.0\.0\.1\/32|::1\/128)\s+).*/\1trust/' "/etc/postgresql/$version/main/pg_hba.conf"
    pg_ctlcluster --skip-systemctl-redirect "$version" main stop 2>/dev/null || true
  fi
  pg_ctlcluster --skip-systemctl-redirect "$version" main start && wait_for 5432
}

start_mariadb() {
  local fresh=""
  if ! command -v mariadbd >/dev/null && [ ! -x /usr/sbin/mariadbd ]; then
    install mariadb-server || return 1
    fresh=yes
  fi
  if ! open 3306; then
    { mkdir -p /run/mysqld && chown mysql: /run/mysqld; } || return 1
    start-stop-daemon --start --oknodo --background --exec /usr/sbin/mariadbd || return 1
  fi
  wait_for 3306 || return 1
  if [ -n "$fresh" ]; then # ours to set up: root by TCP, from this machine
    mariadb -e "ALTER USER 'root'@'localhost' IDENTIFIED VIA mysql_native_password USING PASSWORD('')"
  fi
}

start_redis() {
  command -v redis-server >/dev/null || install redis-server || return 1
  open 6379 || redis-server --daemonize yes --bind 127.0.0.1 --port 6379 --save "" --appendonly no --dir /tmp >/dev/null || return 1
  wait_for 6379
}

need() { # name, port, the variable that names one elsewhere, how to start it, service of compose.yml
  if [ -n "${!3:-}" ] || open "$2"; then return; fi
  if debian_root && "$4" >&2; then return; fi
  if contained "$5" "$2"; then return; fi
  missing+=("$1 on 127.0.0.1:$2 (or $3)")
}

browser() {
  for name in chromium chromium-browser google-chrome google-chrome-stable headless-shell chrome; do
    command -v "$name" >/dev/null && return
  done
  install chromium >&2 || missing+=("chromium on the PATH")
}

need PostgreSQL 5432 TEST_POSTGRES start_postgres postgres
need MariaDB 3306 TEST_MYSQL start_mariadb mariadb
need Redis 6379 TEST_REDIS start_redis redis
browser

if [ "${#missing[@]}" -gt 0 ]; then
  list="$(printf '%s, ' "${missing[@]}")"
  echo "the tests need ${list%, }" >&2
  exit 1
fi
