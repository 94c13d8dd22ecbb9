#!/bin/sh
# Runs the server in the foreground, with a user to log in as.
set -eu
cd "$(dirname "$0")/.."
data=${REELFARM_DATA_DIR:-.reelfarm}
password=$data/demo-password

if [ ! -s "$password" ]; then
    mkdir -p -m 700 "$data"
    (umask 077 && .venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(12))' >"$password.new")
    .venv/bin/reelfarm user create demo --password-stdin --data-dir "$data" <"$password.new" >/dev/null
    mv "$password.new" "$password"
fi
echo "log in as demo with the password in $password: $(cat "$password")"
exec .venv/bin/reelfarm up --data-dir "$data"
