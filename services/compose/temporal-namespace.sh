#!/bin/sh
# Waits until the server works, then creates the namespace TEMPORAL_NAMESPACE with the search attributes of our jobs.
# What is there already is left alone. The server is TEMPORAL_ADDRESS.
set -eu
tries=${TRIES:-60}
until temporal operator cluster health >/dev/null 2>&1; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then
        temporal operator cluster health # says why
        exit 1
    fi
    sleep 1
done

# A week, so that Monday still sees why a run of the weekend failed.
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 168h

there=$(temporal operator search-attribute list)
add() { # NAME TYPE
    case $there in
    *"$1 "*) ;;
    *) temporal operator search-attribute create --name "$1" --type "$2" ;;
    esac
}
add TrenovaOrganizationId Keyword
add TrenovaBusinessUnitId Keyword
add TrenovaJobType Keyword
add TrenovaTags KeywordList
