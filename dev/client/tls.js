// What both drivers for Node take as "ssl".
const fs = require('fs');
const env = process.env;
const tls = { ca: fs.readFileSync(env.PGSSLROOTCERT), host: env.PGHOST, rejectUnauthorized: true };

if (fs.existsSync(env.PGSSLCERT)) {
	tls.cert = fs.readFileSync(env.PGSSLCERT);
	tls.key = fs.readFileSync(env.PGSSLKEY);
}
module.exports = tls;
