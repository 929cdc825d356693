#!/usr/bin/env bash
# Tries the two commands of the README where nothing is prepared: a Debian 12 root made by debootstrap that has git,
# curl, make and this machine's Rust, and in it a clone of HEAD. Root only.
#
# `make serve` runs in there until a client out here gets its bytes back from port 9501; then `make test` runs.
# Mounts and processes live in namespaces of their own, which the kernel clears away however this script ends.
set -euo pipefail
cd "$(dirname "$0")/.."

port=9501
patience=${FRESH_SECONDS:-1800} # what `make serve` may take: it installs packages and builds

fail() {
    printf 'test-fresh: %s\n' "$1" >&2
    exit 1
}

if [[ ${1:-} != --inside ]]; then
    ((EUID == 0)) || fail 'needs root: it makes a Debian root and mounts into it'
    sysroot=$(rustc --print sysroot)
    [[ $sysroot != /usr && -x $sysroot/bin/cargo ]] || fail "needs a Rust of its own folder, as rustup makes it; $sysroot is not"
    root=$(mktemp -d "${TMPDIR:-/tmp}/rotor-fresh.XXXXXX")
    chmod 755 "$root" # apt's downloads run as a user of their own
    clean_up() {
        # By SIGKILL: the first process of the namespace follows, and all others with it.
        kill -KILL "$namespace" 2>/dev/null || true
        wait "$namespace" 2>/dev/null || true
        # Only files are left to remove: the mounts went with their namespace.
        rm -rf --one-file-system "$root" "$root.log"
    }
    unshare --mount --propagation private --pid --fork --kill-child scripts/test-fresh.sh --inside "$root" "$sysroot" &
    namespace=$!
    trap clean_up EXIT
    trap 'exit 130' INT TERM
    wait "$namespace"
    exit
fi
root=$2
sysroot=$3

# What apt and cargo need to reach their registries from here is taken from this machine as it is at this moment.
echo '== a Debian root'
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 2>/dev/null | head -n 1)
debootstrap --variant=minbase --include=ca-certificates,curl,git,make bookworm "$root" ${mirror:+"$mirror"} >"$root.log" 2>&1 ||
    { tail -n 20 "$root.log"; fail 'debootstrap failed'; }
apt-config dump | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/90host" || true
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/host.crt"
environment=(HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
environment+=(SSL_CERT_FILE=/etc/ssl/certs/host.crt CARGO_HTTP_CAINFO=/etc/ssl/certs/host.crt)
while IFS= read -r -d '' variable; do
    [[ ${variable%%=*} =~ _(proxy|PROXY)$|^CARGO_(REGISTRIES|REGISTRY|SOURCE|NET)_ ]] && environment+=("$variable")
done < <(env -0)
mkdir -p "$root/root/.cargo" "$root/opt/rust" "$root/src"
for file in config.toml config credentials.toml; do
    [[ ! -f ${CARGO_HOME:-$HOME/.cargo}/$file ]] || cp "${CARGO_HOME:-$HOME/.cargo}/$file" "$root/root/.cargo/"
done

mount --bind "$sysroot" "$root/opt/rust"
mount -o remount,bind,ro "$root/opt/rust"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
git clone -q --no-hardlinks . "$root/src/rotor"
inside() { chroot "$root" env -i "${environment[@]}" make --no-print-directory -C /src/rotor "$@"; }

# One byte sequence there and back, by a client outside of the root.
echoes() {
    local answer
    { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return
    printf 'fresh bytes\n' >&3
    read -r -t 30 answer <&3 && [[ $answer == 'fresh bytes' ]]
    local code=$?
    exec 3>&-
    return "$code"
}

echo '== make serve'
if echoes; then fail "something answers on port $port already"; fi
# With job control the server is a process group, to which Ctrl-C can be sent, and does not ignore SIGINT.
set -m
inside serve </dev/null &
server=$!
set +m
until echoes; do
    kill -0 "$server" 2>/dev/null || fail 'make serve ended before it served'
    ((SECONDS < patience)) || fail "make serve does not serve after $patience s"
    sleep 0.2
done
echo "== a client got its bytes back after $SECONDS s; Ctrl-C"
kill -INT -- "-$server"
wait "$server" 2>/dev/null || true
if echoes; then fail 'the server is still there after Ctrl-C'; fi

echo '== make test'
inside test </dev/null
