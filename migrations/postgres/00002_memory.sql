-- +goose Up
-- What a package held, as keyed marks in a sealed file, so that the next one can tell what changed. One row for each
-- identifier of the person, known by its keyed hash alone. It outlives the submission, so its key is the tenant's.
CREATE TABLE memory (
  tenant          text COLLATE "C" NOT NULL REFERENCES tenant (tenant),
  id              text COLLATE "C" NOT NULL,
  identifier_hash text NOT NULL,
  right_asked     text NOT NULL,
  blob_key        text NOT NULL,
  wrapped_key     bytea,
  made_at         timestamptz NOT NULL,
  expires_at      timestamptz NOT NULL,
  PRIMARY KEY (tenant, id, identifier_hash)
);
CREATE INDEX memory_identifier ON memory (tenant, identifier_hash);
CREATE INDEX memory_expiry ON memory (tenant, expires_at);

ALTER TABLE memory ENABLE ROW LEVEL SECURITY;
ALTER TABLE memory FORCE ROW LEVEL SECURITY;

-- Dropped and made, not replaced: the sweeper role owns it, and the owner of the schema may drop what is in it.
-- store.Migrate hands the new one over.
DROP FUNCTION public.app_due(timestamptz, int);
-- +goose StatementBegin
CREATE FUNCTION public.app_due(p_now timestamptz, p_limit int)
  RETURNS TABLE (tenant text, kind text, id text)
  LANGUAGE sql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
  SELECT d.tenant, d.kind, d.id FROM (
    SELECT t.tenant, x.kind, x.id, row_number() OVER (PARTITION BY t.tenant ORDER BY x.at, x.kind, x.id) AS place
    FROM public.tenant t CROSS JOIN LATERAL (
      (SELECT 'request' AS kind, r.id AS id, r.next_action_at AS at FROM public.request r
        WHERE r.tenant = t.tenant AND r.next_action_at <= p_now AND (r.lease_until IS NULL OR r.lease_until <= p_now) ORDER BY r.next_action_at LIMIT p_limit)
      UNION ALL
      (SELECT 'mail' AS kind, r.id AS id, r.next_at AS at FROM public.mail r
        WHERE r.tenant = t.tenant AND r.state = 'queued' AND r.next_at <= p_now AND (r.lease_until IS NULL OR r.lease_until <= p_now) ORDER BY r.next_at LIMIT p_limit)
      UNION ALL
      (SELECT 'delivery' AS kind, r.id AS id, r.next_at AS at FROM public.delivery r
        WHERE r.tenant = t.tenant AND r.state = 'queued' AND r.next_at <= p_now AND (r.lease_until IS NULL OR r.lease_until <= p_now) ORDER BY r.next_at LIMIT p_limit)
      UNION ALL
      (SELECT 'obligation' AS kind, r.id AS id, r.next_action_at AS at FROM public.obligation r
        WHERE r.tenant = t.tenant AND r.state = 'open' AND r.next_action_at <= p_now AND (r.lease_until IS NULL OR r.lease_until <= p_now) ORDER BY r.next_action_at LIMIT p_limit)
      UNION ALL
      (SELECT 'package' AS kind, r.id AS id, r.expires_at AS at FROM public.package r
        WHERE r.tenant = t.tenant AND r.destroyed_at IS NULL AND r.expires_at <= p_now ORDER BY r.expires_at LIMIT p_limit)
      UNION ALL
      (SELECT DISTINCT 'memory' AS kind, r.id AS id, r.expires_at AS at FROM public.memory r
        WHERE r.tenant = t.tenant AND r.expires_at <= p_now ORDER BY at LIMIT p_limit)
      UNION ALL
      (SELECT 'audit' AS kind, '' AS id, r.at AS at FROM public.audit_pending r
        WHERE r.tenant = t.tenant ORDER BY r.at LIMIT 1)
      UNION ALL
      (SELECT 'token' AS kind, '' AS id, r.expires_at AS at FROM public.token r
        WHERE r.tenant = t.tenant AND r.expires_at <= p_now - interval '7 days' ORDER BY r.expires_at LIMIT 1)
    ) x
  ) d
  ORDER BY d.place, d.tenant
  LIMIT p_limit
$$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION public.app_due(timestamptz, int);
-- +goose StatementBegin
CREATE FUNCTION public.app_due(p_now timestamptz, p_limit int)
  RETURNS TABLE (tenant text, kind text, id text)
  LANGUAGE sql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
  SELECT d.tenant, d.kind, d.id FROM (
    SELECT t.tenant, x.kind, x.id, row_number() OVER (PARTITION BY t.tenant ORDER BY x.at, x.kind, x.id) AS place
    FROM public.tenant t CROSS JOIN LATERAL (
      (SELECT 'request' AS kind, r.id AS id, r.next_action_at AS at FROM public.request r
        WHERE r.tenant = t.tenant AND r.next_action_at <= p_now AND (r.lease_until IS NULL OR r.lease_until <= p_now) ORDER BY r.next_action_at LIMIT p_limit)
      UNION ALL
      (SELECT 'mail' AS kind, r.id AS id, r.next_at AS at FROM public.mail r
        WHERE r.tenant = t.tenant AND r.state = 'queued' AND r.next_at <= p_now AND (r.lease_until IS NULL OR r.lease_until <= p_now) ORDER BY r.next_at LIMIT p_limit)
      UNION ALL
      (SELECT 'delivery' AS kind, r.id AS id, r.next_at AS at FROM public.delivery r
        WHERE r.tenant = t.tenant AND r.state = 'queued' AND r.next_at <= p_now AND (r.lease_until IS NULL OR r.lease_until <= p_now) ORDER BY r.next_at LIMIT p_limit)
      UNION ALL
      (SELECT 'obligation' AS kind, r.id AS id, r.next_action_at AS at FROM public.obligation r
        WHERE r.tenant = t.tenant AND r.state = 'open' AND r.next_action_at <= p_now AND (r.lease_until IS NULL OR r.lease_until <= p_now) ORDER BY r.next_action_at LIMIT p_limit)
      UNION ALL
      (SELECT 'package' AS kind, r.id AS id, r.expires_at AS at FROM public.package r
        WHERE r.tenant = t.tenant AND r.destroyed_at IS NULL AND r.expires_at <= p_now ORDER BY r.expires_at LIMIT p_limit)
      UNION ALL
      (SELECT 'audit' AS kind, '' AS id, r.at AS at FROM public.audit_pending r
        WHERE r.tenant = t.tenant ORDER BY r.at LIMIT 1)
      UNION ALL
      (SELECT 'token' AS kind, '' AS id, r.expires_at AS at FROM public.token r
        WHERE r.tenant = t.tenant AND r.expires_at <= p_now - interval '7 days' ORDER BY r.expires_at LIMIT 1)
    ) x
  ) d
  ORDER BY d.place, d.tenant
  LIMIT p_limit
$$;
-- +goose StatementEnd
DROP TABLE memory;
