#!/bin/sh
# Makes the namespace that cases run in, if it is not there.
set -eu

tries=0
until temporal operator cluster health >/dev/null 2>&1; do
	tries=$((tries + 1))
	if [ "$tries" -ge 60 ]; then
		echo "Temporal at $TEMPORAL_ADDRESS has not become ready." >&2
		exit 1
	fi
	sleep 2
done
if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
	echo "Namespace $TEMPORAL_NAMESPACE is there."
	exit 0
fi
# How long closed cases stay visible in the UI. The records are in PostgreSQL.
temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 90d
