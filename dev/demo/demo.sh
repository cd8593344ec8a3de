#!/usr/bin/env bash
#
# demo.sh [STEP ...]
#
# "make demo": what ext_ssl_guard says, and when, on a throw-away server.
#
# Runs inside dev/sandbox, which builds, installs, and takes everything
# away again.  Each step expects a line in the server's log and a row in SQL,
# mends the fault, and expects the alarm to be cleared; if anything does not
# come in time, the demo stops with an error.  At the end: how long each took.
#
# No line is longer than 100 columns: log lines are folded, fingerprints cut.
# Severities have colours on a terminal, unless NO_COLOR is set.

set -eu -o pipefail

: "${SANDBOX:?start it with "make demo"}"
patience=${DEMO_PATIENCE:-20}
width=100
# The server puts whole paths into its lines, so the data directory is pg/ in
# the sandbox itself; commands name certs/ and pg/ relatively.
log=server.log
cd "$SANDBOX"
mkdir certs socket
umask 022

if [ -t 1 ] && [ -z "${NO_COLOR-}" ] && [ "${TERM-dumb}" != dumb ]; then
	bold=$(printf '\033[1m') red=$(printf '\033[1;31m') yellow=$(printf '\033[33m')
	cyan=$(printf '\033[36m') green=$(printf '\033[32m') plain=$(printf '\033[0m')
else
	bold='' red='' yellow='' cyan='' green='' plain=''
fi

heading() { printf '\n%s=== %s%s\n' "$bold" "$*" "$plain"; }
note() { printf '\n%s\n' "$*"; }
# shows a command, then runs it
run() { printf '$ %s\n' "$*"; "$@"; }

# Fingerprints to 16 digits, lines to the width, at spaces where there are some.
fold_lines()
{
	sed -E 's/([0-9a-f]{16})[0-9a-f]{48}/\1../g' | awk -v width=$width '{
		rest = $0
		indent = ""
		while (length(indent rest) > width) {
			room = width - length(indent)
			for (i = room + 1; i > room / 2 && substr(rest, i, 1) != " "; i--)
				;
			if (substr(rest, i, 1) != " ")
				i = room + 1
			print indent substr(rest, 1, i - 1)
			rest = substr(rest, i)
			sub(/^ +/, "", rest)
			indent = "          "
		}
		print indent rest
	}'
}

# Severities in a table, in a DETAIL and at the start of a log line.
paint()
{
	if [ -z "$plain" ]; then
		cat
		return
	fi
	sed -E -e "s/(^| |=)critical( |\$)/\1${red}critical$plain\2/g" \
		-e "s/(^| |=)warning( |\$)/\1${yellow}warning$plain\2/g" \
		-e "s/(^| |=)notice( |\$)/\1${cyan}notice$plain\2/g" \
		-e "s/^WARNING:/${yellow}WARNING:$plain/" -e "s/^LOG:/${green}LOG:$plain/"
}

die()
{
	printf '\ndemo: %s\n' "$*" >&2
	[ ! -f $log ] || { echo "---- the server's log ends:" >&2; tail -n 40 $log >&2; }
	exit 1
}

# --- certificates ------------------------------------------------------------

# openssl is told about only if it fails
quietly() { "$@" 2>certs/said || die "$(cat certs/said)"; }

make_ca()
{
	mkdir certs/ca
	: >certs/ca/index.txt
	echo 01 >certs/ca/crlnumber
	cat >certs/ca.cnf <<'CONFIG'
[ca]
default_ca = this
[this]
database = certs/ca/index.txt
new_certs_dir = certs/ca
crlnumber = certs/ca/crlnumber
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
	quietly openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 3650 -subj '/CN=Demo CA' \
		-addext keyUsage=critical,keyCertSign,cRLSign -keyout certs/ca.key -out certs/ca.crt
}

date_in() { date -u -d "now $*" +%Y%m%d%H%M%SZ; }

# make_cert NAME SECTION SUBJECT DAYS_LEFT KEY DIGEST: valid for a year in all
make_cert()
{
	quietly openssl req -new -newkey "$5" -nodes -subj "$3" -keyout "certs/$1.key" -out "certs/$1.csr"
	quietly openssl ca -config certs/ca.cnf -batch -notext -cert certs/ca.crt -keyfile certs/ca.key \
		-in "certs/$1.csr" -out "certs/$1.crt" -extensions "$2" -md "$6" \
		-startdate "$(date_in "$4 days 2 hours -365 days")" -enddate "$(date_in "$4 days 2 hours")"
}

# make_crl NAME LAST NEXT: in days from now
make_crl()
{
	quietly openssl ca -config certs/ca.cnf -gencrl -cert certs/ca.crt -keyfile certs/ca.key \
		-crl_lastupdate "$(date_in "$2 days")" -crl_nextupdate "$(date_in "$3 days")" -out "certs/$1"
}

# install_server NAME: puts a certificate and its key where the server has them
install_server()
{
	run cp "certs/$1.key" pg/server.key
	run cp "certs/$1.crt" pg/server.crt
}

# --- the server --------------------------------------------------------------

make_server()
{
	initdb -D pg -U postgres -A trust -N >initdb.log 2>&1 || die "$(cat initdb.log)"
	cat >>pg/postgresql.conf <<CONFIG
# a demo needs no durability, and shows a weak key that OpenSSL would refuse
fsync = off
log_line_prefix = ''
ssl_ciphers = 'DEFAULT:@SECLEVEL=0'
ext_ssl_guard.finding_overrides = 'low_security_level=off'
unix_socket_directories = '$SANDBOX/socket'
CONFIG
	install -m 0600 certs/good.key pg/server.key
	cp certs/good.crt pg/server.crt
	cp certs/ca.crt pg/root.crt
	cp certs/fresh.crl pg/root.crl
	note 'postgresql.conf:'
	tee -a pg/postgresql.conf <<'CONFIG'
listen_addresses = '127.0.0.1'
ssl = on
ssl_ca_file = 'root.crt'
ssl_crl_file = 'root.crl'
shared_preload_libraries = 'ext_ssl_guard'
ext_ssl_guard.file_poll_interval = '1s'
CONFIG
	printf 'local all all trust\nhostssl all all 127.0.0.1/32 trust clientcert=verify-ca\n' >pg/pg_hba.conf
}

start_server()
{
	local try

	for try in 1 2 3 4 5 6 7 8; do
		port=$((20000 + (RANDOM + $$) % 12000))
		: >$log
		if pg_ctl -D pg -l $log -s -w -o "-p $port" start 2>/dev/null; then
			export PGHOST=$SANDBOX/socket PGPORT=$port PGUSER=postgres PGDATABASE=postgres
			trap 'pg_ctl -D "$SANDBOX/pg" -s -m fast stop' EXIT
			return
		fi
		grep -q 'could not bind\|could not create any TCP/IP' $log || die "the server does not start"
	done
	die "no free port found"
}

ask() { psql -XAtq -c "$1"; }

show()
{
	printf '\npostgres=# %s\n' "$1"
	psql -X -P pager=off -P footer=off -P format=wrapped -P columns=$width -c "$1" | sed '${/^$/d}' | paint
}

reload() { run pg_ctl -D pg -s reload; }

# --- what it says, and when ----------------------------------------------------

# From here on lines of the log count, and time.
mark()
{
	seen=$(wc -c <$log)
	from=$EPOCHREALTIME
}

# seconds since the mark, to two places behind the point
elapsed() { awk -v a="${from/,/.}" -v b="${EPOCHREALTIME/,/.}" 'BEGIN { printf "%.2f s", b - a }'; }

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

new_log() { tail -c "+$((seen + 1))" $log; }
raised_line() { new_log | grep -B 1 -A 1 "^DETAIL:  code=$1 severity=" | grep -v '^--$'; }
cleared_line() { new_log | grep -A 1 '^LOG:  alarm cleared: ' | grep -B 1 "^DETAIL:  code=$1 " | grep -v '^--$'; }
is_raised() { raised_line "$1" | grep -q '^WARNING: '; }
is_cleared() { cleared_line "$1"; }
has_row() { [ "$(ask "SELECT count(*) > 0 FROM ssl_guard_alarms WHERE code = '$1'")" = "$2" ]; }

# expect_alarm CODE [QUERY]: the line, then the row
expect_alarm()
{
	wait_until is_raised "$1" || die "no log line with code=$1 within $patience seconds"
	said=$(elapsed)
	note 'The log says:'
	raised_line "$1" | fold_lines | paint
	wait_until has_row "$1" t || die "no row with code $1 in ssl_guard_alarms"
	show "${2-SELECT severity, code, object FROM ssl_guard_alarms WHERE code = '$1';}"
}

expect_cleared()
{
	wait_until is_cleared "$1" || die "$1 was not cleared in the log within $patience seconds"
	cleared=$(elapsed)
	note 'The log says:'
	cleared_line "$1" | fold_lines | paint
	wait_until has_row "$1" f || die "the row with code $1 is still in ssl_guard_alarms"
	show "SELECT count(*) FROM ssl_guard_alarms WHERE code = '$1';"
}

# summarize TEXT CODES: a line of the end, with the times of the step's last alarm
summary=
summarize()
{
	summary+=$(printf '%-40s %-24s said in %7s, cleared %7s' "$1" "$2" "$said" "$cleared")$'\n'
}

has_no_alarm() { [ "$(ask "SELECT count(*) FROM ssl_guard_alarms WHERE severity > 'notice'")" = 0 ]; }

expect_quiet()
{
	wait_until has_no_alarm || { show 'SELECT severity, code, object FROM ssl_guard_alarms'; die 'there are alarms where none should be'; }
}

client()
{
	psql -X -P footer=off -c "SELECT 'let in' AS client" "host=127.0.0.1 port=$port sslmode=verify-ca sslrootcert=certs/ca.crt
		sslcert=certs/client.crt sslkey=certs/client.key sslcrl=none sslcrldir=none gssencmode=disable" 2>&1
}

# --- the walk ----------------------------------------------------------------

prepare()
{
	heading 'A server with a sound certificate, and ext_ssl_guard'
	make_ca
	make_cert good server /CN=db1.example.com 300 rsa:2048 sha256
	make_cert ending server /CN=db1.example.com 5 rsa:2048 sha256
	make_cert weak server /CN=db1.example.com 300 rsa:1024 sha1
	make_cert renewed server /CN=db1.example.com 364 rsa:2048 sha256
	make_cert client client /CN=postgres 300 rsa:2048 sha256
	make_crl fresh.crl -1 30
	make_crl stale.crl -40 -10
	make_server
	start_server
	ask 'CREATE EXTENSION ext_ssl_guard'
	expect_quiet
	show 'SELECT version, ssl, tls_hook_active, in_sync, notices, warnings, criticals
  FROM ssl_guard_status;'
	show "SELECT kind, common_name, date_trunc('day', expires_in) AS expires_in,
    key_algorithm, key_bits, findings
  FROM ssl_guard_certificates;"
}

step_1()
{
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
	summarize '1. A certificate with five days left' expires_very_soon
}

step_2()
{
	heading '2. A weak certificate: RSA with 1024 bits, signed with SHA-1'
	mark
	install_server weak
	reload
	expect_alarm weak_key
	expect_alarm weak_signature "SELECT common_name, key_bits, signature_digest, findings, severity
  FROM ssl_guard_certificates WHERE kind = 'server';"
	note 'Mended.'
	mark
	install_server good
	reload
	expect_cleared weak_key
	expect_cleared weak_signature
	summarize '2. RSA with 1024 bits, signed with SHA-1' 'weak_key, weak_signature'
}

step_3()
{
	heading '3. The CRL has gone stale: from now on every client certificate is refused'
	client >/dev/null || die "the client certificate is refused before the CRL is stale: $(client)"
	mark
	run cp certs/stale.crl pg/root.crl
	reload
	expect_alarm crl_expired
	show "SELECT issuer, next_update, date_trunc('day', expires_in) AS expires_in,
    findings, severity
  FROM ssl_guard_crls;"
	note 'PostgreSQL itself tells the client, whose certificate is in order:'
	! client >client.said || die 'the client was let in with a stale CRL'
	fold_lines <client.said
	note 'Mended: a fresh CRL, and a reload.'
	mark
	run cp certs/fresh.crl pg/root.crl
	reload
	expect_cleared crl_expired
	note 'The client again:'
	client >client.said || die 'the client is still refused'
	sed '${/^$/d}' client.said
	summarize '3. A CRL past its time' crl_expired
}

step_4()
{
	local suggestion

	heading '4. Anyone may write the CA file'
	mark
	run chmod 0666 pg/root.crt
	expect_alarm permissions_too_open "SELECT setting, mode, findings, suggestion
  FROM ssl_guard_files WHERE setting = 'ssl_ca_file' AND findings <> '{}';"
	note 'Mended, with the command that the view suggests:'
	suggestion=$(ask "SELECT suggestion FROM ssl_guard_files WHERE setting = 'ssl_ca_file' AND 'permissions_too_open' = ANY (findings)")
	printf '$ %s\n' "$suggestion"
	mark
	case $suggestion in
		chmod*) sh -c "$suggestion" ;;
		*) die "the view suggests \"$suggestion\"" ;;
	esac
	expect_cleared permissions_too_open
	summarize '4. A CA file that anyone may write' permissions_too_open
}

step_5()
{
	heading '5. The certificate was renewed, and nobody reloaded the server'
	mark
	install_server renewed
	expect_alarm reload_pending
	show 'SELECT in_sync, served_not_after, served_fingerprint <> disk_fingerprint AS differ
  FROM ssl_guard_status;'
	note 'Mended: a reload.'
	mark
	reload
	expect_cleared reload_pending
	summarize '5. A renewed certificate, not loaded' reload_pending
}

prepare
for step in ${*:-1 2 3 4 5}; do
	"step_$step"
done
expect_quiet
show 'SELECT in_sync, warnings, criticals, served_not_after FROM ssl_guard_status;'
heading 'Done; the server and its directory go away. What was shown, and how soon the log said so:'
printf '\n%s' "$summary"
