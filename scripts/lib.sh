# Sourced by the scripts beside it: what they need before they can build.

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# Debian keeps daemons where not every user's PATH looks.
PATH="$PATH:/usr/sbin:/sbin"

packages=(
  ca-certificates curl git libc6-dev libjs-dygraphs libmosquitto-dev libsqlite3-dev libxgboost0 libzstd-dev
  mosquitto mosquitto-clients pkg-config zlib1g-dev
)

# Installs the Debian packages that are missing: as root at once, else it prints the line to run.
require_packages() {
  local missing=() package
  command -v dpkg-query > /dev/null || {
    say "This is no Debian or Ubuntu; make sure that what these packages hold is installed:"
    say "  ${packages[*]}"
    return 0
  }
  for package in "${packages[@]}"; do
    [[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null || true)" == installed ]] \
      || missing+=("$package")
  done
  [[ ${#missing[@]} -eq 0 ]] && return 0
  if [[ $EUID -ne 0 ]]; then
    say "Some Debian packages are missing. Install them, then run this again:"
    fail "  sudo apt-get update && sudo apt-get install --yes --no-install-recommends ${missing[*]}"
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # With fresh lists this works at once; else they are fetched first.
  apt-get install --yes --no-install-recommends "${missing[@]}" > /dev/null 2>&1 || {
    apt-get update > /dev/null
    apt-get install --yes --no-install-recommends "${missing[@]}" > /dev/null
  }
}

# Checks that a Swift of the right age is there.
require_swift() {
  local version
  if ! command -v swift > /dev/null; then
    say "Swift 6.2 or later is needed and was not found. Either"
    say "  install it:   https://www.swift.org/install/linux/   (swiftly keeps it up to date), or"
    fail "  if it is installed, put it on the PATH:   export PATH=/path/to/swift/usr/bin:\$PATH"
  fi
  version="$(swift --version 2> /dev/null | sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p' | head -n 1)"
  local major="${version% *}" minor="${version#* }"
  if [[ -n "$version" ]] && ((major < 6 || (major == 6 && minor < 2))); then
    fail "Swift $major.$minor is too old; 6.2 or later is needed: https://www.swift.org/install/linux/"
  fi
}

# The first port at or after $1 on which nothing listens on this machine.
free_port() {
  local port
  for ((port = $1; port < $1 + 200; port++)); do
    (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null || {
      echo "$port"
      return 0
    }
  done
  fail "no free port between $1 and $(($1 + 200))"
}
