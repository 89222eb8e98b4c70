-- What the gateway's own role may do. Run by the owner after every `erp-gateway migrate`; running it again changes
-- nothing. Read from the catalogue, so that new tables need no change here:
--
-- - every table: SELECT, and INSERT by column. With INSERT on a whole table a role may choose the numbers that the
--   database gives (OVERRIDING SYSTEM VALUE); by column it cannot name them;
-- - UPDATE and DELETE only on tables that do not grow only, which are those without the trigger <table>_no_change;
-- - the version of the schema is read, never written;
-- - the months of the ledger are reached through their whole only: nothing of them is granted by itself;
-- - nothing else: no TRUNCATE, no REFERENCES, no TRIGGER, no table of its own.
\set ON_ERROR_STOP on
BEGIN;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, gateway;
GRANT USAGE ON SCHEMA public TO gateway;

SELECT format('GRANT SELECT ON %s TO gateway', tables.oid::regclass)
FROM pg_class AS tables
WHERE tables.relnamespace = 'public'::regnamespace AND tables.relkind IN ('r', 'p') AND NOT tables.relispartition
\gexec

SELECT format(
    'GRANT INSERT (%s) ON %s TO gateway',
    string_agg(quote_ident(columns.attname), ', ' ORDER BY columns.attnum),
    tables.oid::regclass)
FROM pg_class AS tables
JOIN pg_attribute AS columns ON columns.attrelid = tables.oid
WHERE tables.relnamespace = 'public'::regnamespace AND tables.relkind IN ('r', 'p') AND NOT tables.relispartition
  AND tables.relname <> 'alembic_version' AND columns.attnum > 0 AND NOT columns.attisdropped
  AND columns.attidentity = '' AND columns.attgenerated = ''
GROUP BY tables.oid
\gexec

SELECT format('GRANT UPDATE, DELETE ON %s TO gateway', tables.oid::regclass)
FROM pg_class AS tables
WHERE tables.relnamespace = 'public'::regnamespace AND tables.relkind IN ('r', 'p') AND NOT tables.relispartition
  AND tables.relname <> 'alembic_version' AND NOT EXISTS (
    SELECT FROM pg_trigger AS triggers
    WHERE triggers.tgrelid = tables.oid AND triggers.tgname = tables.relname || '_no_change')
\gexec
COMMIT;
