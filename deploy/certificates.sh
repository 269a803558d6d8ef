#!/bin/sh
# Makes the certificates by which the parts of an installation know each other
# at Temporal's door: whoever has none of these cannot speak to it.
#
#	sh deploy/certificates.sh [FOLDER]
#
# docker compose runs it before anything else, with a volume for each part. What
# is whole already is left alone. When a part is missing, all of them are made
# anew, so this renews everything:
#
#	docker compose down
#	docker volume rm fileroom_certificates-temporal
#	docker compose up --detach
#
# There are two authorities: one for Temporal's door and those who knock there,
# and one that the parts of Temporal itself know each other by, so that a client
# cannot speak to what lies behind the door. The keys of both are thrown away:
# nobody can sign a further certificate. A part's key can be read by whoever can
# reach its folder: root, and the one service that the compose file gives it to,
# under whatever user that runs.
set -eu

dir="${1:-/certificates}"
clients="worker staff ui desk tools"
days=730
renewal="docker compose down; docker volume rm fileroom_certificates-temporal; docker compose up --detach"

# pairs lists every certificate: folder, name, authority, and what it is for.
pairs() {
	echo "temporal frontend ca sslserver"
	echo "temporal cluster cluster-ca sslserver"
	echo "temporal cluster cluster-ca sslclient"
	for client in $clients; do
		echo "$client client ca sslclient"
	done
}

# whole says whether every part has a certificate of the same authority, with
# its key. It does not ask for how long.
whole() {
	pairs | while read -r part name authority purpose; do
		cd "$dir/$part" || exit 1
		openssl verify -no_check_time -purpose "$purpose" -CAfile "$authority.pem" "$name.pem" || exit 1
		[ "$(openssl x509 -in "$name.pem" -noout -pubkey)" = "$(openssl pkey -in "$name-key.pem" -pubout)" ] || exit 1
		[ "$authority" != ca ] || cmp -s ca.pem "../temporal/ca.pem" || exit 1
	done >/dev/null 2>&1
}

if whole; then
	if ! openssl x509 -in "$dir/temporal/frontend.pem" -noout -checkend 0 >/dev/null; then
		echo "The certificates have ended. Renew them: $renewal" >&2
		exit 1
	fi
	if ! openssl x509 -in "$dir/temporal/frontend.pem" -noout -checkend $((30 * 86400)) >/dev/null; then
		echo "The certificates end within a month. Renew them: $renewal" >&2
	fi
	echo "The certificates are there."
	exit 0
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
umask 077

# OpenSSL's own file of settings differs from system to system.
cat >"$work/settings" <<'SETTINGS'
[req]
distinguished_name = name
prompt = no
[name]
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[frontend]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:temporal
[cluster]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = DNS:cluster.temporal
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
SETTINGS

# make NAME SECTION SUBJECT [AUTHORITY] makes a key, and a certificate signed by
# an authority or by itself.
make() {
	if [ -n "${4:-}" ]; then
		set -- "$1" "$2" "$3" -CA "$work/$4.pem" -CAkey "$work/$4-key.pem"
	fi
	name="$1" section="$2" subject="$3"
	shift 3
	openssl req -x509 -config "$work/settings" -extensions "$section" -subj "/CN=$subject" -days "$days" \
		-newkey ec -pkeyopt ec_paramgen_curve:P-256 -sha256 -nodes \
		-keyout "$work/$name-key.pem" -out "$work/$name.pem" "$@" 2>"$work/log" || {
		cat "$work/log" >&2
		exit 1
	}
}

make ca authority "Fileroom: clients of Temporal"
make cluster-ca authority "Fileroom: parts of Temporal"
make frontend frontend temporal ca
make cluster cluster cluster.temporal cluster-ca
for client in $clients; do
	make "$client" client "$client" ca
done

# put FILE PART NAME puts a file in its place, whole or not at all.
put() {
	cp "$work/$1" "$dir/$2/.new"
	chmod 444 "$dir/$2/.new"
	mv -f "$dir/$2/.new" "$dir/$2/$3"
}

# Without the first authority, what a crash leaves behind is not whole.
for part in temporal $clients; do
	mkdir -p "$dir/$part"
	rm -f "$dir/$part/ca.pem"
done
for file in cluster-ca.pem cluster.pem cluster-key.pem frontend.pem frontend-key.pem; do
	put "$file" temporal "$file"
done
for client in $clients; do
	put "$client.pem" "$client" client.pem
	put "$client-key.pem" "$client" client-key.pem
	put ca.pem "$client" ca.pem
done
put ca.pem temporal ca.pem
echo "The certificates are made, for $days days."
