#!/bin/sh
# Makes what compose.yaml needs and no file of the repository may hold:
#
#   sh services/compose/secrets.sh
#
# services/.env has passwords and the key that encrypts every payload; compose reads it by itself. services/secrets has a
# certificate for the pages, the token by which Prometheus reads metrics, and Grafana's password. Another folder than
# services may be named. What is there stays as it is: without TRENOVA_KEY nothing can be read any more, and a database
# keeps the password of its first start.
set -eu
cd "${1:-$(dirname "$0")/..}"
umask 077

add() { # NAME VALUE, unless there is one
    grep -q "^$1=" .env || printf '%s=%s\n' "$1" "$2" >>.env
}
touch .env
add POSTGRES_PASSWORD "$(openssl rand -hex 24)"
add TEMPORAL_POSTGRES_PASSWORD "$(openssl rand -hex 24)"
add TRENOVA_KEY "$(openssl rand -base64 32)"

mkdir -p secrets
[ -s secrets/grafana_password ] || openssl rand -hex 16 >secrets/grafana_password
[ -s secrets/metrics_token ] || printf 'trn_%s' "$(openssl rand -hex 32)" >secrets/metrics_token
# The servers know the token by its digest alone.
digest=$(openssl dgst -sha256 -r secrets/metrics_token | cut -d ' ' -f 1)
grep -v '^METRICS_TOKEN_SHA256=' .env >.env.new || true
printf 'METRICS_TOKEN_SHA256=%s\n' "$digest" >>.env.new
mv .env.new .env

if [ ! -s secrets/tls_certificate ]; then
    # Its own authority, for browsers on this machine and for Prometheus.
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256 -days 825 -subj /CN=trenova \
        -addext subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:dashboard,DNS:codec-server,DNS:temporal-ui \
        -addext keyUsage=critical,digitalSignature,keyCertSign -addext extendedKeyUsage=serverAuth \
        -keyout secrets/tls_key -out secrets/tls_certificate 2>/dev/null
fi

# A container's user has to read them, and is nobody here: the folder keeps the others of this machine out.
chmod 0644 secrets/*
chmod 0700 secrets
chmod 0600 .env
