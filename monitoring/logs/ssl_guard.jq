# Lines of PostgreSQL's jsonlog in, what ext_ssl_guard says out, one object a line:
#
#   tail -F /var/log/postgresql/postgresql.json | jq -c --unbuffered -f ssl_guard.jq
#
# DETAIL is key=value, with quotes around values where they need them.
select((.state_code // "") | startswith("SG"))
| {
	timestamp,
	level: .error_severity,
	sqlstate: .state_code,
	message,
	hint,
	facts: ([(.detail // "") | scan("([a-z_0-9]+)=(?:\"((?:[^\"\\\\]|\\\\.)*)\"|([^ \"]*))")
		| { key: .[0], value: ((.[1] // null) as $quoted | if $quoted != null then $quoted | gsub("\\\\(?<c>.)"; .c) else .[2] // "" end) }]
		| from_entries)
}
| with_entries(select(.value != null))
