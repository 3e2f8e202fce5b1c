# Shared by the scripts beside this folder, which source it. Sets up what is missing, and only that.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
venv=$root/.venv
python=$venv/bin/python

say() { printf '%s\n' "$*"; }
fail() { printf '\n%s\n' "$*" >&2; exit 1; }

is_root() { [ "$(id -u)" = 0 ]; }
may_be_root() { is_root || { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }; }
as_root() { if is_root; then "$@"; else sudo "$@"; fi; }

# Installs Debian packages; fails where that is not possible, and says why.
install_packages() {
  local said
  command -v apt-get >/dev/null && may_be_root || return 1
  say "Installing $* …"
  said=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq 2>&1 &&
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "$@" 2>&1) && return
  say "$said" >&2
  return 1
}

# Prints the first Python that is new enough.
find_python() {
  local candidate
  for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      say "$candidate"
      return
    fi
  done
  return 1
}

# Makes the virtual environment where there is none that runs.
make_venv() {
  "$python" -m pip --version >/dev/null 2>&1 && return
  local base
  base=$(find_python) ||
    fail "Python 3.11 or newer is needed. On Debian 12: sudo apt-get install python3 python3-venv"
  say "Making a virtual environment in ${venv#"$root/"} …"
  "$base" -m venv --clear "$venv" >/dev/null 2>&1 && return
  # Debian keeps the part of Python that makes one in a package of its own.
  local package=python3-venv
  [ "$base" = python3 ] || package=$("$base" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  install_packages "$package" || {
    rm -rf "$venv"
    fail "This Python cannot make a virtual environment. Run this, then start again:
  sudo apt-get install $package"
  }
  "$base" -m venv --clear "$venv" || fail "$base -m venv failed, see above."
}

# Installs this project and what the pip arguments say, once for each state of pyproject.toml.
install_project() {
  local name=$1 stamp state
  shift
  stamp=$venv/installed-$name
  state="$root $* $(sha256sum <"$root/pyproject.toml")"
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$state" ] && return
  say "Installing the Python packages (a minute or two, only now) …"
  # Dependency groups came with pip 25.1.
  "$python" -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
  (cd "$root" && "$python" -m pip install --quiet --disable-pip-version-check "$@") ||
    fail "The Python packages could not be installed, see above."
  printf '%s' "$state" >"$stamp"
}
