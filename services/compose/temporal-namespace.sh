#!/bin/sh
# Waits until the server works, then creates the namespace TEMPORAL_NAMESPACE with the search attributes of our jobs.
# What is there already is left alone. The server is TEMPORAL_ADDRESS.
set -eu
until_it_works() { # a question to the server, for a minute
    tries=60
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        if [ "$tries" -le 0 ]; then
            "$@" >/dev/null # says why
            exit 1
        fi
        sleep 1
    done
}
until_it_works temporal operator cluster health

# A week, so that Monday still sees why a run of the weekend failed.
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 168h

# A new namespace is known everywhere after some seconds.
until_it_works temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE"
there=$(temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE")
add() { # NAME TYPE
    case $there in
    *"$1 "*) ;;
    *) temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$1" --type "$2" ;;
    esac
}
add TrenovaOrganizationId Keyword
add TrenovaBusinessUnitId Keyword
add TrenovaJobType Keyword
add TrenovaTags KeywordList
