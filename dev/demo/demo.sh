#!/usr/bin/env bash
#
# "make demo": what ext_ssl_guard says, and when, on a throw-away server.
#
# Runs inside dev/sandbox, which builds, installs, and takes everything
# away again.  Each step expects a line in the server's log and a row in SQL,
# mends the fault, and expects the alarm to be cleared; if anything does not
# come in time, the demo stops with an error.

set -eu -o pipefail

: "${SANDBOX:?start it with "make demo"}"
patience=${DEMO_PATIENCE:-20}
work=$SANDBOX/demo
data=$work/data
log=$work/server.log
certs=$work/certs
mkdir -p "$work" "$certs" "$work/socket"
cd "$work"
umask 022

if [ -t 1 ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
else
	bold='' plain=''
fi

heading() { printf '\n%s=== %s%s\n' "$bold" "$*" "$plain"; }
note() { printf '\n%s\n' "$*"; }
# shows a command, then runs it
run() { printf '$ %s\n' "$*"; "$@"; }

die()
{
	printf '\ndemo: %s\n' "$*" >&2
	[ ! -f "$log" ] || { echo "---- the server's log ends:" >&2; tail -n 40 "$log" >&2; }
	exit 1
}

# --- certificates ------------------------------------------------------------

make_ca()
{
	mkdir "$certs/ca"
	: >"$certs/ca/index.txt"
	echo 01 >"$certs/ca/crlnumber"
	cat >"$certs/ca.cnf" <<CONFIG
[ca]
default_ca = this
[this]
database = $certs/ca/index.txt
new_certs_dir = $certs/ca
crlnumber = $certs/ca/crlnumber
rand_serial = yes
unique_subject = no
policy = any
default_md = sha256
[any]
commonName = supplied
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:db1.example.com,IP:127.0.0.1
[client]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
CONFIG
	openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 3650 -subj '/CN=Demo CA' \
		-addext keyUsage=critical,keyCertSign,cRLSign \
		-keyout "$certs/ca.key" -out "$certs/ca.crt" 2>"$certs/said" || die "$(cat "$certs/said")"
}

# make_cert NAME SECTION SUBJECT DAYS_LEFT KEY DIGEST: valid for a year in all
make_cert()
{
	openssl req -new -newkey "$5" -nodes -subj "$3" -keyout "$certs/$1.key" -out "$certs/$1.csr" \
		2>"$certs/said" || die "$(cat "$certs/said")"
	openssl ca -config "$certs/ca.cnf" -batch -notext -cert "$certs/ca.crt" -keyfile "$certs/ca.key" \
		-in "$certs/$1.csr" -out "$certs/$1.crt" -extensions "$2" -md "$6" \
		-startdate "$(date -u -d "now $4 days 2 hours -365 days" +%Y%m%d%H%M%SZ)" \
		-enddate "$(date -u -d "now $4 days 2 hours" +%Y%m%d%H%M%SZ)" 2>"$certs/said" || die "$(cat "$certs/said")"
}

# make_crl NAME LAST NEXT: in days from now
make_crl()
{
	openssl ca -config "$certs/ca.cnf" -gencrl -cert "$certs/ca.crt" -keyfile "$certs/ca.key" \
		-crl_lastupdate "$(date -u -d "now $2 days" +%Y%m%d%H%M%SZ)" \
		-crl_nextupdate "$(date -u -d "now $3 days" +%Y%m%d%H%M%SZ)" \
		-out "$certs/$1" 2>"$certs/said" || die "$(cat "$certs/said")"
}

# install_server NAME: puts a certificate and its key where the server has them
install_server()
{
	run cp "$certs/$1.key" "$data/server.key"
	run cp "$certs/$1.crt" "$data/server.crt"
}

# --- the server --------------------------------------------------------------

start_server()
{
	local try

	initdb -D "$data" -U postgres -A trust -N >"$work/initdb.log" 2>&1 || die "$(cat "$work/initdb.log")"
	cat >>"$data/postgresql.conf" <<'CONFIG'
# a demo needs no durability, and shows a weak key that OpenSSL would refuse
fsync = off
log_line_prefix = ''
ssl_ciphers = 'DEFAULT:@SECLEVEL=0'
CONFIG
	echo "unix_socket_directories = '$work/socket'" >>"$data/postgresql.conf"
	install -m 0600 "$certs/good.key" "$data/server.key"
	cp "$certs/good.crt" "$data/server.crt"
	cp "$certs/ca.crt" "$data/root.crt"
	cp "$certs/fresh.crl" "$data/root.crl"
	note 'postgresql.conf:'
	tee -a "$data/postgresql.conf" <<'CONFIG'
listen_addresses = '127.0.0.1'
ssl = on
ssl_ca_file = 'root.crt'
ssl_crl_file = 'root.crl'
shared_preload_libraries = 'ext_ssl_guard'
ext_ssl_guard.file_poll_interval = '1s'
CONFIG
	printf 'local all all trust\nhostssl all all 127.0.0.1/32 trust clientcert=verify-ca\n' >"$data/pg_hba.conf"
	for try in 1 2 3 4 5 6 7 8; do
		port=$((20000 + (RANDOM + $$) % 12000))
		: >"$log"
		if pg_ctl -D "$data" -l "$log" -s -w -o "-p $port" start 2>/dev/null; then
			export PGHOST=$work/socket PGPORT=$port PGUSER=postgres PGDATABASE=postgres
			trap 'pg_ctl -D "$data" -s -m fast stop' EXIT
			return
		fi
		grep -q 'could not bind\|could not create any TCP/IP' "$log" || die "the server does not start"
	done
	die "no free port found"
}

ask() { psql -XAtq -c "$1"; }
show() { printf '\npostgres=# %s\n' "$1"; psql -X -P pager=off -c "$1"; }
mark() { seen=$(wc -c <"$log"); }
reload() { run pg_ctl -D "$data" -s reload; }

# wait_until COMMAND ...: polls
wait_until()
{
	local tries=$((patience * 10))

	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

new_log() { tail -c "+$((seen + 1))" "$log"; }
raised_line() { new_log | grep -B 1 -A 1 "^DETAIL:  code=$1 severity=" | grep -v '^--$'; }
cleared_line() { new_log | grep -A 1 '^LOG:  alarm cleared: ' | grep -B 1 "^DETAIL:  code=$1 " | grep -v '^--$'; }
is_raised() { raised_line "$1" | grep -q '^WARNING: '; }
is_cleared() { cleared_line "$1"; }
has_row() { [ "$(ask "SELECT count(*) > 0 FROM ssl_guard_alarms WHERE code = '$1'")" = "$2" ]; }

# expect_alarm CODE [QUERY]: the line, then the row
expect_alarm()
{
	wait_until is_raised "$1" || die "no log line with code=$1 within $patience seconds"
	note 'The log says:'
	raised_line "$1"
	wait_until has_row "$1" t || die "no row with code $1 in ssl_guard_alarms"
	show "${2-SELECT severity, code, object, message FROM ssl_guard_alarms WHERE code = '$1';}"
}

expect_cleared()
{
	wait_until is_cleared "$1" || die "$1 was not cleared in the log within $patience seconds"
	note 'The log says:'
	cleared_line "$1"
	wait_until has_row "$1" f || die "the row with code $1 is still in ssl_guard_alarms"
	show "SELECT count(*) AS \"alarms of this kind\" FROM ssl_guard_alarms WHERE code = '$1';"
}

expect_quiet()
{
	wait_until has_no_alarm || { show 'SELECT severity, code, object FROM ssl_guard_alarms'; die 'there are alarms where none should be'; }
}
has_no_alarm() { [ "$(ask "SELECT count(*) FROM ssl_guard_alarms WHERE severity > 'notice'")" = 0 ]; }

client()
{
	psql -X -c "SELECT 'let in'" "host=127.0.0.1 port=$port sslmode=verify-ca sslrootcert=$certs/ca.crt
		sslcert=$certs/client.crt sslkey=$certs/client.key sslcrl=none sslcrldir=none gssencmode=disable" 2>&1
}

# --- the walk ----------------------------------------------------------------

heading 'A server with a sound certificate, and ext_ssl_guard'
make_ca
make_cert good server /CN=db1.example.com 300 rsa:2048 sha256
make_cert ending server /CN=db1.example.com 5 rsa:2048 sha256
make_cert weak server /CN=db1.example.com 300 rsa:1024 sha1
make_cert renewed server /CN=db1.example.com 364 rsa:2048 sha256
make_cert client client /CN=postgres 300 rsa:2048 sha256
make_crl fresh.crl -1 30
make_crl stale.crl -40 -10
start_server
ask 'CREATE EXTENSION ext_ssl_guard'
expect_quiet
show 'SELECT version, ssl, tls_hook_active, in_sync, notices, warnings, criticals FROM ssl_guard_status;'
show 'SELECT setting, kind, common_name, expires_in, key_algorithm, key_bits, findings FROM ssl_guard_certificates;'

heading '1. The certificate expires in a few days'
mark
install_server ending
reload
expect_alarm expires_very_soon
note 'Mended: a new certificate, and a reload.'
mark
install_server good
reload
expect_cleared expires_very_soon

heading '2. A weak certificate: RSA with 1024 bits, signed with SHA-1'
mark
install_server weak
reload
expect_alarm weak_key
expect_alarm weak_signature "SELECT common_name, key_bits, security_bits, signature_digest, findings, severity
  FROM ssl_guard_certificates WHERE setting = 'ssl_cert_file';"
note 'Mended.'
mark
install_server good
reload
expect_cleared weak_key
expect_cleared weak_signature

heading '3. The CRL has gone stale: from now on every client certificate is refused'
client >/dev/null || die "the client certificate is refused before the CRL is stale: $(client)"
mark
run cp "$certs/stale.crl" "$data/root.crl"
reload
expect_alarm crl_expired
show 'SELECT issuer, next_update, expires_in, findings, severity FROM ssl_guard_crls;'
note 'PostgreSQL itself tells the client, whose certificate is in order:'
client && die 'the client was let in with a stale CRL' || :
note 'Mended: a fresh CRL, and a reload.'
mark
run cp "$certs/fresh.crl" "$data/root.crl"
reload
expect_cleared crl_expired
client || die 'the client is still refused'

heading '4. Anyone may write the CA file'
mark
run chmod 0666 "$data/root.crt"
ask 'SELECT count(*) FROM ssl_guard_check()' >/dev/null
expect_alarm permissions_too_open "SELECT setting, mode, findings, suggestion FROM ssl_guard_files WHERE setting = 'ssl_ca_file' AND findings <> '{}';"
note 'Mended, with the command that the view suggests:'
mark
suggestion=$(ask "SELECT suggestion FROM ssl_guard_files WHERE setting = 'ssl_ca_file' AND 'permissions_too_open' = ANY (findings)")
printf '$ %s\n' "$suggestion"
case $suggestion in
	chmod*) sh -c "$suggestion" ;;
	*) die "the view suggests \"$suggestion\"" ;;
esac
ask 'SELECT count(*) FROM ssl_guard_check()' >/dev/null
expect_cleared permissions_too_open

heading '5. The certificate was renewed, and nobody reloaded the server'
mark
install_server renewed
expect_alarm reload_pending
show 'SELECT in_sync, served_not_after, served_fingerprint <> disk_fingerprint AS differ FROM ssl_guard_status;'
note 'Mended: a reload.'
mark
reload
expect_cleared reload_pending

expect_quiet
show 'SELECT in_sync, warnings, criticals, served_not_after FROM ssl_guard_status;'
heading 'Done. The server is stopped and its directory removed.'
