const pg = require('pg');
const tls = require('./tls.js');

// it takes the files that these name by itself
for (const name of ['PGSSLMODE', 'PGSSLCERT', 'PGSSLKEY', 'PGSSLROOTCERT'])
	delete process.env[name];

async function main() {
	const client = new pg.Client({ ssl: tls, connectionTimeoutMillis: 20000 });

	await client.connect();
	const answer = await client.query('SELECT 1 AS one');
	if (answer.rows[0].one !== 1)
		throw new Error('no row');
	await client.end();
	console.log('in', require('pg/package.json').version);
}

main().catch((error) => { console.error(String(error)); process.exit(1); });
