-- The role that the gateway's processes connect as. It owns nothing: whoever owns a table can drop the triggers that keep
-- the ledger from being changed. Run once by the owner of the database, before the first `erp-gateway migrate`; what the
-- role may do is in grants.sql.
\set ON_ERROR_STOP on
\set password `cat /run/secrets/gateway_password`
CREATE ROLE gateway LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD :'password';
