#!/usr/bin/env bash
# Makes an authority of the engine, once, and a certificate for each machine that is named: chat1 chat2 chat3.
# The authority is for the engine alone: no client of the chat ever sees it. Keep engine-ca.key where no server runs.
set -euo pipefail
umask 077
[ "$#" -gt 0 ] || { echo "usage: engine-certificates.sh MACHINE..." >&2; exit 64; }
curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
if ! [ -e engine-ca.key ]; then
  openssl req -x509 "${curve[@]}" -days 3650 -subj "/CN=Engine of the chat" -keyout engine-ca.key -out engine-ca.crt \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
fi
for machine in "$@"; do
  openssl req "${curve[@]}" -subj "/CN=$machine" -keyout "$machine.key" -out "$machine.csr"
  openssl x509 -req -in "$machine.csr" -CA engine-ca.crt -CAkey engine-ca.key -days 825 -out "$machine.crt" \
    -extfile <(printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$machine")
  rm "$machine.csr"
done
chmod 644 ./*.crt
