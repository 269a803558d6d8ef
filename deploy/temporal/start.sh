#!/bin/sh
# Starts the Temporal server. Its configuration takes the password from the
# environment alone, so it is put there from its file at the last moment.
set -eu

POSTGRES_PWD="$(cat /run/secrets/temporal_password)"
export POSTGRES_PWD
exec /etc/temporal/entrypoint.sh
