#!/usr/bin/env bash
# Brings the real programs that Rollcall is tested with, from Debian's packages, into a cache folder; nothing
# is installed, and the machine's own package sources stay as they are. Prints the folder of the programs.
#   PEERS_CACHE: where it is kept (default: .cache/peers in the checkout)
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${PEERS_CACHE:-$PWD/.cache/peers}
home=$cache/apt
updated=
mkdir -p "$cache/bin"

# unpack SUITE PACKAGE...: the packages' files are then in $home/root.
unpack() {
  local suite=$1
  shift
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  local sources mirror
  sources=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true)
  mirror=$(grep -oE '[a-z]+://[^ ]+/debian/?( |$)' <<<"$sources" | tr -d ' ' | sed 's#/$##' | head -1)
  if [ -z "$mirror" ]; then
    echo "no Debian mirror among this machine's package sources" >&2
    exit 1
  fi
  rm -rf "$home/debs" "$home/root"
  mkdir -p "$home/lists/partial" "$home/archives/partial" "$home/none" "$home/debs"
  echo "deb [signed-by=$keyring] $mirror $suite main" >"$home/sources.list"
  : >"$home/status"
  local options=(-qq -o "Dir::Etc::SourceList=$home/sources.list" -o "Dir::Etc::SourceParts=$home/none"
    -o Dir::Etc::Preferences=/dev/null -o "Dir::Etc::PreferencesParts=$home/none"
    -o "Dir::State::Lists=$home/lists" -o "Dir::State::status=$home/status" -o "Dir::Cache=$home"
    -o APT::Sandbox::User=root -o Acquire::Languages=none)
  if [ "$suite" != "$updated" ]; then
    apt-get "${options[@]}" update >&2
    updated=$suite
  fi
  (cd "$home/debs" && apt-get "${options[@]}" download "$@" >&2)
  for deb in "$home"/debs/*.deb; do dpkg -x "$deb" "$home/root"; done
}

# keep FILE [NAME]: moves a program out of $home/root; it appears whole or not at all.
keep() {
  cp "$home/root/$1" "$cache/bin/.new"
  mv "$cache/bin/.new" "$cache/bin/${2:-$(basename "$1")}"
}

if [ ! -x "$cache/bin/consul" ]; then
  unpack bullseye consul # The last Debian with a Consul package: 1.8.7.
  keep usr/bin/consul
fi
if [ ! -x "$cache/bin/serf" ]; then
  unpack bookworm serf
  keep usr/bin/serf
fi
if [ ! -x "$cache/bin/prometheus" ]; then
  unpack bullseye prometheus # Later ones are built without their Consul discovery.
  keep usr/bin/prometheus
fi
if [ ! -x "$cache/bin/haproxy" ]; then
  # With the libraries that a small machine lacks.
  unpack bookworm haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 libssl3
  rm -rf "$cache/haproxy"
  mkdir -p "$cache/haproxy"
  cp -a "$home"/root/usr/lib/*-linux-*/lib*.so* "$home/root/usr/sbin/haproxy" "$cache/haproxy/"
  cat >"$home/root/haproxy" <<'WRAPPER'
#!/bin/sh
files=$(dirname "$0")/../haproxy
exec env LD_LIBRARY_PATH="$files" "$files/haproxy" "$@"
WRAPPER
  chmod +x "$home/root/haproxy"
  keep haproxy
fi
if [ ! -x "$cache/bin/dnsmasq" ]; then
  # With the libraries that a small machine lacks.
  unpack bookworm dnsmasq-base libdbus-1-3 libidn2-0 libunistring2 libnetfilter-conntrack3 libnfnetlink0 \
    libmnl0 libnftables1 libnftnl11 libnettle8 libhogweed6 libgmp10 libjansson4 libxtables12 libedit2 \
    libbsd0 libsystemd0
  rm -rf "$cache/dnsmasq"
  mkdir -p "$cache/dnsmasq"
  find "$home/root" -path '*-linux-*' -name 'lib*.so*' -exec cp -a {} "$cache/dnsmasq/" \;
  cp "$home/root/usr/sbin/dnsmasq" "$cache/dnsmasq/"
  cat >"$home/root/dnsmasq" <<'WRAPPER'
#!/bin/sh
files=$(dirname "$0")/../dnsmasq
exec env LD_LIBRARY_PATH="$files" "$files/dnsmasq" "$@"
WRAPPER
  chmod +x "$home/root/dnsmasq"
  keep dnsmasq
fi
rm -rf "$home"
echo "$cache/bin"
