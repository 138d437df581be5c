# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the other scripts: paths, messages, and how to run a long step.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$top/build
cache=${KEXEC_MEMBUF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kexec-membuf}

# Share objects between checkouts. CCACHE_DEPEND would be wrong: dependency files do not name the files of .incbin, and a
# kernel would get the CA of an earlier build
use_ccache() {
	export CCACHE_DIR=${CCACHE_DIR:-$cache/ccache} PATH=/usr/lib/ccache:$PATH
	export CCACHE_BASEDIR=$top CCACHE_NOHASHDIR=1
}

say() { printf '==> %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# progress LOG: copy standard input to LOG and show progress: a counter on a terminal, otherwise a line every 500 lines
progress() {
	awk -v log_file="$1" -v tty="$([ -t 2 ] && echo 1 || echo 0)" '
		{ print > log_file; n++ }
		tty && n % 20 == 0 { printf "\r    %d steps", n > "/dev/stderr" }
		!tty && n % 500 == 0 { printf "    %d steps\n", n > "/dev/stderr" }
		END { printf "%s    %d steps, done\n", tty ? "\r" : "", n > "/dev/stderr" }'
}

# run_logged LOG COMMAND...: run a build with its output in LOG and progress on standard error. On failure, show the lines
# that say why
run_logged() {
	local log=$1 rc
	shift
	mkdir -p "$(dirname "$log")"
	# "|| rc=" would switch -e off inside the command
	set +e
	"$@" 2>&1 | progress "$log"
	rc=${PIPESTATUS[0]}
	set -e
	if [ "$rc" -ne 0 ]; then
		grep -nE 'error|Error|undefined|warning: ' "$log" | tail -n 30 >&2
		tail -n 15 "$log" >&2
		die "failed ($rc): $* (whole output in $log)"
	fi
}

# as_root COMMAND...: run as root, through sudo if needed
as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}
