#!/bin/sh
# Runs the server in the foreground, with a user to log in as.
set -eu
cd "$(dirname "$0")/.."
data=${REELFARM_DATA_DIR:-.reelfarm}
password=$data/demo-password

if [ ! -s "$password" ]; then
    mkdir -p -m 700 "$data"
    [ -s "$password.new" ] ||
        (umask 077 && .venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(12))' >"$password.new")
    # Killed between making the user and naming the file, the next try finds the name taken: by this password.
    if ! said=$(.venv/bin/reelfarm user create demo --password-stdin --data-dir "$data" <"$password.new" 2>&1); then
        case $said in *"name is taken"*) ;; *) printf '%s\n' "$said" >&2; exit 1 ;; esac
    fi
    mv "$password.new" "$password"
fi
echo "log in as demo with the password in $password: $(cat "$password")"
exec .venv/bin/reelfarm up --data-dir "$data"
