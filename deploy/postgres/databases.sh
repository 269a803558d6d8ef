#!/bin/bash
# Makes the databases of Fileroom and of Temporal, each with an owner of its
# own. The image of PostgreSQL runs it once, when its volume is still empty.
set -euo pipefail

# psql reads the passwords itself, so that no command line shows them.
psql --no-psqlrc --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<'SQL'
\set owner_password `cat /run/secrets/owner_password`
\set temporal_password `cat /run/secrets/temporal_password`

-- CREATEROLE lets `fileroom migrate` make the roles of workers and readers.
CREATE ROLE fileroom_owner LOGIN CREATEROLE PASSWORD :'owner_password';
-- Everybody may connect to it, since those roles are not there yet; without a
-- grant of `fileroom migrate` there is nothing to see.
CREATE DATABASE fileroom OWNER fileroom_owner;

CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE ALL ON DATABASE temporal, temporal_visibility FROM PUBLIC;
SQL
