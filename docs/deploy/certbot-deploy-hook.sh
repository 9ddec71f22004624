#!/bin/sh
# /etc/letsencrypt/renewal-hooks/deploy/chatterbox, mode 0755: certbot runs it as root after each renewal. The server may not read
# certbot's folder, and gets a copy of its own: certificate, chain and key in one file, so that a restart at any moment finds both of one
# renewal. Then it reads it again. Connections go on, and what is wrong with the certificate is printed.
set -eu

name=${CHAT_CERTIFICATE:-chat.example}                  # of the certificate: a folder in /etc/letsencrypt/live
file=${CHAT_FILE:-/etc/chatterbox/chat.pem}             # cert = "..." of server.toml
group=${CHAT_GROUP:-chatterbox}                         # the server's; nobody else can read the key
state=${CHATTERBOX_STATE:-/var/lib/chatterbox}          # where the server can be asked

# Set by certbot. Other certificates of this machine are none of ours.
[ "${RENEWED_LINEAGE##*/}" = "$name" ] || exit 0

umask 077
fresh=$(mktemp "$file.XXXXXX")
trap 'rm -f "$fresh"' EXIT
cat "$RENEWED_LINEAGE/fullchain.pem" "$RENEWED_LINEAGE/privkey.pem" > "$fresh"
chgrp "$group" "$fresh"
chmod 0640 "$fresh"
mv "$fresh" "$file"

# 68: no server runs there now. It takes the new certificate when it starts.
chatterbox-server reload --state "$state" || [ $? = 68 ]
