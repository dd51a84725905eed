#!/bin/sh
# Makes dev-cert.pem and dev-key.pem beside this script: a certificate for wss on this machine, for development only.
# A certificate that is still good is kept.
#
#   make-dev-cert.sh [--force] [host or address ...]
#
# With openssl: ECDSA P-256, for localhost, 127.0.0.1, ::1 and the hosts named. Without it the .NET SDK makes its own
# development certificate, which cannot carry other hosts.
set -euf
umask 077

days=397
renew_before_days=30
force=false
hosts="localhost 127.0.0.1 ::1"
for argument; do
    case $argument in
        --force) force=true ;;
        -*|*[!A-Za-z0-9.:*-]*|"") echo "usage: $0 [--force] [host or address ...]" >&2; exit 2 ;;
        *) hosts="$hosts $argument" ;;
    esac
done

folder=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cert=$folder/dev-cert.pem
key=$folder/dev-key.pem
has() { command -v "$1" >/dev/null 2>&1; }

# As openssl prints them and as it reads them: "IP:" before an address, "DNS:" before a name.
kind() { case $1 in *:*) echo IP ;; *[!0-9.]*) echo DNS ;; *) echo IP ;; esac; }

covers_every_host() {
    for host in $hosts; do
        case $(kind "$host") in
            IP) openssl x509 -in "$cert" -noout -checkip "$host" ;;
            DNS) openssl x509 -in "$cert" -noout -checkhost "$host" ;;
        esac | grep -q 'does match' || return 1
    done
}

is_good() {
    [ -s "$cert" ] && [ -s "$key" ] || return 1
    if has openssl; then
        openssl x509 -in "$cert" -noout -checkend $((renew_before_days * 86400)) >/dev/null 2>&1 || return 1
        [ "$(openssl x509 -in "$cert" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout 2>/dev/null)" ] || return 1
        covers_every_host
    else # the SDK's certificates last a year
        [ "$hosts" = "localhost 127.0.0.1 ::1" ] && [ -n "$(find "$cert" -mtime -$((365 - renew_before_days)))" ]
    fi
}

make_with_openssl() {
    names=
    for host in $hosts; do
        names="$names${names:+,}$(kind "$host"):$host"
    done
    cat >"$work/request" <<EOF
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = ChatServer development
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
subjectAltName = $names
EOF
    openssl req -x509 -config "$work/request" -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -sha256 -nodes \
        -days "$days" -keyout "$work/key" -out "$work/cert" 2>"$work/said" || { cat "$work/said" >&2; exit 1; }
}

make_with_dotnet() {
    if [ "$hosts" != "localhost 127.0.0.1 ::1" ]; then
        echo "Other hosts than localhost need openssl, which is not installed." >&2
        exit 1
    fi
    # The certificate and its key are written side by side: out.pem and out.key.
    dotnet dev-certs https --format Pem --no-password --export-path "$work/out.pem" >"$work/said" 2>&1 &&
        mv "$work/out.pem" "$work/cert" && mv "$work/out.key" "$work/key" || { cat "$work/said" >&2; exit 1; }
}

if ! $force && is_good; then
    echo "Kept $cert"
    exit 0
fi

work=$(mktemp -d "$folder/.making.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
if has openssl; then
    make_with_openssl
elif has dotnet; then
    make_with_dotnet
else
    echo "Neither openssl nor the .NET SDK is installed." >&2
    exit 1
fi

chmod 600 "$work/key"
chmod 644 "$work/cert"
mv -f "$work/key" "$key"
mv -f "$work/cert" "$cert"
echo "Made $cert and $key"
