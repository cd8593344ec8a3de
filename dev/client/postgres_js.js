const fs = require('fs');
const path = require('path');
const postgres = require('postgres');
const tls = require('./tls.js');

async function main() {
	const sql = postgres({ ssl: tls, max: 1, connect_timeout: 20, host: process.env.PGHOST, port: process.env.PGPORT,
		user: process.env.PGUSER, password: process.env.PGPASSWORD, database: process.env.PGDATABASE });

	try {
		const [row] = await sql`SELECT 1 AS one`;

		if (row.one !== 1)
			throw new Error('no row');
		const about = path.join(path.dirname(require.resolve('postgres')), '..', '..', 'package.json');
		console.log('in', JSON.parse(fs.readFileSync(about)).version);
	} finally {
		await sql.end({ timeout: 0 });
	}
}

main().catch((error) => { console.error(String(error)); process.exit(1); });
