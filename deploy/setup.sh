#!/usr/bin/env bash
# Installs what is missing (system packages of deploy/apt.txt, .venv) and nothing else.
# Usage: deploy/setup.sh demo|test|ci|bench
set -euo pipefail
part=${1:?part}
cd "$(dirname "$0")/.."

# ---------------------------------------------------------------- system packages
wanted() {  # the packages of every part up to the one asked for
  awk -v part="$part" '
    /^#/ || NF == 0 { next }
    /^\[/ { open = (seen != 1); if ($0 == "[" part "]") { seen = 1; open = 1 } next }
    open { print }' deploy/apt.txt
}
have() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -q '^installed$'; }
postgis_present() { compgen -G '/usr/share/postgresql/*/extension/postgis.control' >/dev/null; }

missing=()
for package in $(wanted); do
  case $package in
    postgresql-N-postgis-3) postgis_present || missing+=("$package") ;;
    *) have "$package" || missing+=("$package") ;;
  esac
done

if ((${#missing[@]})); then
  apt=(apt-get -o DPkg::Lock::Timeout=300)
  if [[ $EUID -eq 0 ]]; then sudo=(); elif sudo -n true 2>/dev/null || [[ -t 0 ]]; then sudo=(sudo); else sudo=(none); fi
  if [[ ${sudo[0]-} == none ]]; then
    echo "These system packages are missing: ${missing[*]}" >&2
    echo "Ask an administrator to run:  sudo $0 $part" >&2
    exit 1
  fi
  echo "installing system packages: ${missing[*]}" >&2
  "${sudo[@]}" "${apt[@]}" update -qq
  resolved=()
  for package in "${missing[@]}"; do
    if [[ $package == postgresql-N-postgis-3 ]]; then
      package=$(apt-cache search --names-only '^postgresql-[0-9]+-postgis-3$' | awk '{print $1}' | sort -t- -k2,2n | tail -n 1)
      [[ -n $package ]] || { echo "this release offers no postgresql-N-postgis-3" >&2; exit 1; }
    fi
    resolved+=("$package")
  done
  # Debian would otherwise make and start a cluster of its own on port 5432.
  if ! have postgresql-common; then
    "${sudo[@]}" mkdir -p /etc/postgresql-common
    [[ -e /etc/postgresql-common/createcluster.conf ]] ||
      echo 'create_main_cluster = false' | "${sudo[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y -q \
    -o Dpkg::Options::=--force-confold --no-install-recommends "${resolved[@]}" >&2
fi

# ---------------------------------------------------------------- python
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Python 3.11 or newer is needed; $python is $("$python" -V). Set PYTHON." >&2; exit 1; }
[[ -x .venv/bin/python ]] || "$python" -m venv .venv
groups=()
case $part in test | ci | bench) groups=(--group test) ;; esac
case ${CHECK-} in 1) groups+=(--group check) ;; esac
stamp=.venv/.gridgis-$(cat pyproject.toml constraints.txt | sha256sum | cut -c1-16)-${part}${CHECK-}
if [[ ! -e $stamp ]]; then
  echo "installing Python packages into .venv" >&2
  .venv/bin/python -m pip install -q --disable-pip-version-check --upgrade 'pip>=25.1' >&2
  .venv/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e . "${groups[@]}" >&2
  touch "$stamp"
fi
