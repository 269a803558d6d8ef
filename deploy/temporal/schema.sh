#!/bin/sh
# Brings Temporal's two databases up to the schema of this release. It may run
# at every start: what is there already is left alone.
set -eu

SQL_PASSWORD="$(cat /run/secrets/temporal_password)"
export SQL_PASSWORD SQL_PLUGIN=postgres12 SQL_HOST=postgres SQL_PORT=5432 SQL_USER=temporal

for pair in temporal:temporal temporal_visibility:visibility; do
	database="${pair%%:*}"
	schema="/etc/temporal/schema/postgresql/v12/${pair##*:}/versioned"
	temporal-sql-tool --database "$database" setup-schema -v 0.0
	temporal-sql-tool --database "$database" update-schema -d "$schema"
done
echo "Temporal's databases are up to date."
