#!/bin/sh
# Makes the secrets of an installation as files, and says which ones only you
# can write. Run it as root, beside docker-compose.yml; what is there already
# is left alone, so it may run again.
#
#	sh deploy/secrets.sh [FOLDER]
#
# The folder is closed to everybody but root. The passwords in it can be read
# by whoever can reach them: root, and in a container the service that the
# compose file gives them to, under whatever user that runs. The keys belong to
# the user that Fileroom runs as, who refuses keys that others can read.
set -eu

dir="${1:-secrets}"
fileroom_user=10001

umask 077
mkdir -p "$dir" "$dir/keys" "$dir/facilities"

# password NAME makes a random password, unless there is one.
password() {
	if [ ! -s "$dir/$1" ]; then
		od -An -N 24 -tx1 /dev/urandom | tr -d ' \n' >"$dir/$1"
		chmod 444 "$dir/$1"
	fi
}

# database_url NAME USER PASSWORD-FILE writes where the records are.
database_url() {
	printf 'postgres://%s:%s@postgres:5432/fileroom?sslmode=disable\n' "$2" "$(cat "$dir/$3")" >"$dir/$1.new"
	chmod 444 "$dir/$1.new"
	mv -f "$dir/$1.new" "$dir/$1"
}

for name in postgres_password temporal_password owner_password worker_password reader_password staff_password; do
	password "$name"
done
database_url owner_database_url fileroom_owner owner_password
database_url worker_database_url fileroom_worker_login worker_password
database_url staff_database_url fileroom_staff_login staff_password

if [ "$(id -u)" = 0 ]; then
	chown -R "$fileroom_user:$fileroom_user" "$dir/keys" "$dir/facilities"
else
	echo "Not root: give $dir/keys and $dir/facilities to the user $fileroom_user yourself." >&2
fi

left=0
# The certificate is the hospital's, for both names of the gateway, with those
# between it and its authority; the client secret is from whoever signs in.
for name in mailbox_password smtp_password pacs_password oidc_client_secret staff_tls_certificate staff_tls_key; do
	if [ -s "$dir/$name" ]; then
		chmod 444 "$dir/$name"
	else
		echo "Still to do: write the $(echo "$name" | tr _ ' ') to $dir/$name."
		left=1
	fi
done
if [ ! -s "$dir/keys/keyring.json" ]; then
	echo "Still to do: docker compose run --rm keys"
	left=1
fi
if [ "$left" = 0 ]; then
	echo "All secrets are there. Keep a copy of $dir/keys/keyring.json in a safe place: without it nothing that is kept can be read."
fi
