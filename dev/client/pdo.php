<?php
try {
	$env = getenv();
	$pdo = new PDO("pgsql:host={$env['PGHOST']};port={$env['PGPORT']};dbname={$env['PGDATABASE']}", $env['PGUSER'], $env['PGPASSWORD']);
	if ($pdo->query('SELECT 1')->fetchColumn() != 1)
		throw new Exception('no row');
	echo 'in ', phpversion('pdo_pgsql'), "\n";
} catch (Exception $e) {
	fwrite(STDERR, $e->getMessage() . "\n");
	exit(1);
}
