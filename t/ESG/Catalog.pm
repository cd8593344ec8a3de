# ESG::Catalog: what the catalogs say about the extension, free of OIDs.
#
#   my @lines = ESG::Catalog::describe($node, 'database');
#
# One line for each entry of pg_class, pg_attribute, pg_type, pg_enum, pg_proc,
# pg_description, pg_init_privs and pg_depend that belongs to the extension, in
# an order of its own: two databases have the same extension if the lines are
# the same.

package ESG::Catalog;

use strict;
use warnings;

# The members, and what hangs on them: row types, array types, rules.
my $objects = <<'SQL';
CREATE TEMP TABLE object AS
WITH RECURSIVE object (classid, objid) AS (
    SELECT d.classid, d.objid
      FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
     WHERE e.extname = 'ext_ssl_guard' AND d.deptype = 'e'
    UNION
    SELECT d.classid, d.objid
      FROM pg_depend d JOIN object o ON d.refclassid = o.classid AND d.refobjid = o.objid AND d.deptype = 'i')
SELECT classid, objid, pg_describe_object(classid, objid, 0) AS name FROM object;
CREATE FUNCTION pg_temp.acl(acl aclitem[]) RETURNS jsonb LANGUAGE sql RETURN (
    SELECT jsonb_agg(a::text ORDER BY a::text) FROM unnest(acl) AS a);
-- Debian's 15.20 stamps every column, core's own too, with a number (pg_attver)
-- that depends on when it was made.  Only that option is left out.
CREATE FUNCTION pg_temp.options(options text[]) RETURNS jsonb LANGUAGE sql RETURN (
    SELECT jsonb_agg(o ORDER BY o) FROM unnest(options) AS o WHERE o !~ '^pg_attver=');
SQL

my $lines = <<'SQL';
SELECT line FROM (
    SELECT format('extension %s', to_jsonb(e) - 'oid' - 'extowner' - 'extnamespace')
      FROM pg_extension e WHERE e.extname = 'ext_ssl_guard'
    UNION ALL
    SELECT format('object %s', name) FROM object
    UNION ALL
    SELECT format('class %s %s', o.name, to_jsonb(c) - '{oid,relnamespace,reltype,relowner,relfilenode,relacl}'::text[]
                  || jsonb_build_object('acl', pg_temp.acl(c.relacl)))
      FROM pg_class c JOIN object o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid
    UNION ALL
    SELECT format('view %s %s', o.name, pg_get_viewdef(o.objid))
      FROM object o JOIN pg_class c ON o.classid = 'pg_class'::regclass AND o.objid = c.oid AND c.relkind = 'v'
    UNION ALL
    SELECT format('attribute %s %s', o.name, to_jsonb(a) - '{attrelid,atttypid,attacl,attoptions}'::text[]
                  || jsonb_build_object('type', a.atttypid::regtype, 'acl', pg_temp.acl(a.attacl),
                                        'options', pg_temp.options(a.attoptions)))
      FROM pg_attribute a JOIN object o ON o.classid = 'pg_class'::regclass AND o.objid = a.attrelid
     WHERE a.attnum > 0
    UNION ALL
    SELECT format('type %s %s', o.name, to_jsonb(t) - '{oid,typnamespace,typowner,typrelid,typelem,typarray,typacl}'::text[]
                  || jsonb_build_object('element', t.typelem::regtype, 'array', t.typarray::regtype,
                                        'relation', t.typrelid::regclass, 'acl', pg_temp.acl(t.typacl)))
      FROM pg_type t JOIN object o ON o.classid = 'pg_type'::regclass AND o.objid = t.oid
    UNION ALL
    SELECT format('enum %s %s %s', o.name, n.enumsortorder, n.enumlabel)
      FROM pg_enum n JOIN object o ON o.classid = 'pg_type'::regclass AND o.objid = n.enumtypid
    UNION ALL
    SELECT format('proc %s %s', o.name,
                  to_jsonb(p) - '{oid,pronamespace,proowner,prorettype,proargtypes,proallargtypes,proacl,proargdefaults}'::text[]
                  || jsonb_build_object('result', p.prorettype::regtype, 'arguments', p.proargtypes::regtype[],
                                        'all', p.proallargtypes::regtype[], 'acl', pg_temp.acl(p.proacl),
                                        'defaults', pg_get_function_arguments(p.oid)))
      FROM pg_proc p JOIN object o ON o.classid = 'pg_proc'::regclass AND o.objid = p.oid
    UNION ALL
    SELECT format('description %s %s %s', o.name, d.objsubid, d.description)
      FROM pg_description d JOIN object o ON o.classid = d.classoid AND o.objid = d.objoid
    UNION ALL
    SELECT format('initial privileges %s %s %s %s', o.name, i.objsubid, i.privtype, pg_temp.acl(i.initprivs))
      FROM pg_init_privs i JOIN object o ON o.classid = i.classoid AND o.objid = i.objoid
    UNION ALL
    SELECT format('depend %s -> %s %s', pg_describe_object(d.classid, d.objid, d.objsubid),
                  pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid), d.deptype)
      FROM pg_depend d
     WHERE EXISTS (SELECT FROM object o WHERE o.classid = d.classid AND o.objid = d.objid)
) AS all_lines (line) ORDER BY line COLLATE "C";
SQL

sub describe
{
	my ($node, $dbname) = @_;

	return split /\n(?=(?:extension|object|class|view|attribute|type|enum|proc|description|initial privileges|depend) )/,
	  $node->safe_psql($dbname, $objects . $lines);
}

1;
