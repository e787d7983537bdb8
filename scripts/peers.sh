#!/usr/bin/env bash
# Brings the real Consul that Rollcall is tested against, from Debian's packages, into a cache folder; nothing
# is installed, and the machine's own package sources stay as they are. Prints the folder of the binary.
#   PEERS_CACHE: where it is kept (default: .cache/peers in the checkout)
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${PEERS_CACHE:-$PWD/.cache/peers}
if [ ! -x "$cache/bin/consul" ]; then
  suite=bullseye # The last Debian with a Consul package: 1.8.7.
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  sources=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true)
  mirror=$(grep -oE '[a-z]+://[^ ]+/debian/?( |$)' <<<"$sources" | tr -d ' ' | sed 's#/$##' | head -1)
  if [ -z "$mirror" ]; then
    echo "no Debian mirror among this machine's package sources" >&2
    exit 1
  fi
  home=$cache/apt
  mkdir -p "$home/lists/partial" "$home/archives/partial" "$home/none" "$cache/bin"
  echo "deb [signed-by=$keyring] $mirror $suite main" >"$home/sources.list"
  : >"$home/status"
  options=(-qq -o "Dir::Etc::SourceList=$home/sources.list" -o "Dir::Etc::SourceParts=$home/none"
    -o Dir::Etc::Preferences=/dev/null -o "Dir::Etc::PreferencesParts=$home/none"
    -o "Dir::State::Lists=$home/lists" -o "Dir::State::status=$home/status" -o "Dir::Cache=$home"
    -o APT::Sandbox::User=root -o Acquire::Languages=none)
  apt-get "${options[@]}" update >&2
  (cd "$home" && rm -f ./*.deb && apt-get "${options[@]}" download consul >&2 && dpkg -x ./consul_*.deb root)
  cp "$home/root/usr/bin/consul" "$cache/bin/consul.new"
  mv "$cache/bin/consul.new" "$cache/bin/consul"
  rm -rf "$home"
fi
echo "$cache/bin"
