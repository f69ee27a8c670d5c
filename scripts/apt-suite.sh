# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Sourced by scripts that need Debian packages or sources of another suite or
# architecture. Nothing here touches the system's own apt state: each pair of
# suite and architecture gets a private configuration under $skep_cache/apt, on
# the mirror that the user's own configuration names.
#
#   skep_cache          the cache folder, outside any checkout
#   debian_mirror       prints the mirror (SKEP_MIRROR overrides)
#   apt_suite S ARCH    makes S ready for ARCH ("source" for source packages) and sets $apt_opts
#   deb_arch ARCH       prints Debian's name of ARCH

skep_cache=${SKEP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/skep}

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

deb_arch() {
	case $1 in
	x86_64 | amd64) echo amd64 ;;
	arm64 | aarch64) echo arm64 ;;
	riscv64) echo riscv64 ;;
	*) die "unknown architecture '$1' (x86_64, arm64, riscv64)" ;;
	esac
}

debian_mirror() {
	if [ -n "${SKEP_MIRROR:-}" ]; then
		echo "$SKEP_MIRROR"
		return
	fi
	# What apt would download, whether or not it ever did.
	apt-get --print-uris update 2>/dev/null | sed -n \
		"s,^'\(.*\)/dists/\(bullseye\|bookworm\|trixie\|forky\|sid\|stable\|testing\|unstable\)/.*,\1,p" |
		head -n 1
}

apt_suite() {
	command -v apt-get >/dev/null || die "no apt here: put the files into $skep_cache by hand"
	apt_dir=$skep_cache/apt/$1-$2
	apt_arch=$2
	apt_key=${SKEP_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
	[ -f "$apt_key" ] || die "no $apt_key: install debian-archive-keyring"
	apt_mirror=$(debian_mirror)
	[ -n "$apt_mirror" ] || die "no Debian mirror in apt's configuration: set SKEP_MIRROR"
	mkdir -p "$apt_dir/etc/apt.conf.d" "$apt_dir/etc/preferences.d" \
		"$apt_dir/etc/sources.list.d" "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial"
	if [ "$2" = source ]; then
		apt_arch=$(dpkg --print-architecture)
		echo "deb-src [signed-by=$apt_key] $apt_mirror $1 main"
	else
		echo "deb [arch=$2 signed-by=$apt_key] $apt_mirror $1 main"
	fi >"$apt_dir/etc/sources.list"
	apt_opts="-qq -o Dir::Etc=$apt_dir/etc -o Dir::State::lists=$apt_dir/lists
		-o Dir::Cache=$apt_dir/cache -o Dir::State::status=/dev/null
		-o APT::Architecture=$apt_arch -o APT::Architectures=$apt_arch
		-o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=
		-o Debug::NoLocking=1"
	# A mirror in the middle of its own update answers wrongly for a moment, or for one
	# compression only; one that lags is past the date that its index promises. The
	# signature is checked in every case.
	for apt_try in "" "-o Acquire::CompressionTypes::Order::=gz" \
		"-o Acquire::CompressionTypes::Order::=gz -o Acquire::Check-Valid-Until=false" \
		"-o Acquire::Check-Valid-Until=false"; do
		# shellcheck disable=SC2086
		if apt-get $apt_opts $apt_try update >"$apt_dir/update.log" 2>&1 &&
			! grep -q '^E:' "$apt_dir/update.log"; then
			apt_opts="$apt_opts $apt_try"
			return 0
		fi
		sleep 1
	done
	return 1
}
