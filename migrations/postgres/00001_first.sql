-- +goose Up
-- One row a tenant: its data key, wrapped by the master key, and the key that signs its audit log.
CREATE TABLE tenant (
  tenant      text COLLATE "C" NOT NULL PRIMARY KEY,
  wrapped_key bytea NOT NULL,
  signer      bytea NOT NULL,
  vkey        text NOT NULL,
  created_at  timestamptz NOT NULL
);

CREATE TABLE config (
  tenant         text COLLATE "C" NOT NULL REFERENCES tenant (tenant),
  version        bigint NOT NULL,
  policy_version text NOT NULL,
  policy         bytea NOT NULL,
  data_map       bytea NOT NULL,
  digest         text NOT NULL,
  applied_at     timestamptz NOT NULL,
  PRIMARY KEY (tenant, version)
);

CREATE TABLE submission (
  tenant         text COLLATE "C" NOT NULL REFERENCES tenant (tenant),
  id             text COLLATE "C" NOT NULL,
  reference      text NOT NULL,
  channel        text NOT NULL,
  subject        text NOT NULL,
  jurisdiction   text NOT NULL,
  language       text NOT NULL,
  config_version bigint NOT NULL,
  policy_version text NOT NULL,
  received_at    timestamptz NOT NULL,
  verified_at    timestamptz,
  expires_at     timestamptz,
  org            text NOT NULL,
  created_by     text NOT NULL,
  purge_on       date,
  purged_at      timestamptz,
  email_hash     text NOT NULL,
  wrapped_key    bytea,
  person         bytea,
  proofs         bytea,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX submission_reference ON submission (tenant, reference);
CREATE INDEX submission_email ON submission (tenant, email_hash, received_at);

CREATE TABLE request (
  tenant              text COLLATE "C" NOT NULL,
  id                  text COLLATE "C" NOT NULL,
  submission          text COLLATE "C" NOT NULL,
  reference           text NOT NULL,
  right_asked         text NOT NULL,
  status              text NOT NULL,
  received_at         timestamptz NOT NULL,
  acknowledge_by      date,
  due_on              date,
  due_on_conservative date,
  extended_until      date,
  sort_on             date NOT NULL,
  clock_paused        boolean NOT NULL,
  clock_events        text NOT NULL,
  answered_at         timestamptz,
  on_hold             boolean NOT NULL,
  awaiting_controller boolean NOT NULL,
  needs_attention     text NOT NULL,
  assignee            text NOT NULL,
  plan_digest         text NOT NULL,
  plan_made_at        timestamptz,
  grace_ends_at       timestamptz,
  stage               text NOT NULL,
  deny_ground         text NOT NULL,
  changes             bytea,
  decision            bytea,
  next_action_at      timestamptz,
  lease_until         timestamptz,
  epoch               bigint NOT NULL,
  attempts            bigint NOT NULL,
  created_at          timestamptz NOT NULL,
  updated_at          timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, submission) REFERENCES submission (tenant, id)
);
CREATE INDEX request_submission ON request (tenant, submission);
CREATE INDEX request_due ON request (tenant, sort_on, id);
CREATE INDEX request_received ON request (tenant, received_at, id);
CREATE INDEX request_status ON request (tenant, status, sort_on, id);
CREATE INDEX request_next ON request (tenant, next_action_at) WHERE next_action_at IS NOT NULL;

CREATE TABLE request_event (
  tenant      text COLLATE "C" NOT NULL,
  id          text COLLATE "C" NOT NULL,
  request     text COLLATE "C" NOT NULL,
  at          timestamptz NOT NULL,
  name        text NOT NULL,
  from_status text NOT NULL,
  to_status   text NOT NULL,
  actor_kind  text NOT NULL,
  actor_hash  text NOT NULL,
  facts       text NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);
CREATE INDEX request_event_request ON request_event (tenant, request, at, id);

-- No foreign key to submission: an officer's token has none.
CREATE TABLE token (
  tenant       text COLLATE "C" NOT NULL REFERENCES tenant (tenant),
  id           text COLLATE "C" NOT NULL,
  purpose      text NOT NULL,
  submission   text COLLATE "C" NOT NULL,
  subject      text NOT NULL,
  hash         text NOT NULL,
  code_hash    text NOT NULL,
  expires_at   timestamptz NOT NULL,
  used_at      timestamptz,
  tries        bigint NOT NULL,
  address_hash text NOT NULL,
  data         bytea,
  created_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX token_hash ON token (tenant, purpose, hash) WHERE hash <> '';
CREATE INDEX token_owner ON token (tenant, submission, purpose);
CREATE INDEX token_address ON token (tenant, purpose, address_hash, created_at);
CREATE INDEX token_expiry ON token (tenant, expires_at);

CREATE TABLE plan (
  tenant  text COLLATE "C" NOT NULL,
  request text COLLATE "C" NOT NULL,
  digest  text NOT NULL,
  number  bigint NOT NULL,
  made_at timestamptz NOT NULL,
  body    bytea,
  PRIMARY KEY (tenant, request, digest),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);

CREATE TABLE approval (
  tenant     text COLLATE "C" NOT NULL,
  request    text COLLATE "C" NOT NULL,
  digest     text NOT NULL,
  subject    text NOT NULL,
  actor_kind text NOT NULL,
  actor_hash text NOT NULL,
  role       text NOT NULL,
  at         timestamptz NOT NULL,
  note       bytea,
  PRIMARY KEY (tenant, request, digest, subject),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);

-- Captured keys have a key of their own a request: an obligation may need them after the submission is forgotten.
CREATE TABLE capture_key (
  tenant      text COLLATE "C" NOT NULL,
  request     text COLLATE "C" NOT NULL,
  wrapped_key bytea NOT NULL,
  PRIMARY KEY (tenant, request),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);

CREATE TABLE capture (
  tenant  text COLLATE "C" NOT NULL,
  request text COLLATE "C" NOT NULL,
  step    bigint NOT NULL,
  chunk   bigint NOT NULL,
  keys    bytea NOT NULL,
  PRIMARY KEY (tenant, request, step, chunk),
  FOREIGN KEY (tenant, request) REFERENCES capture_key (tenant, request)
);

CREATE TABLE step (
  tenant      text COLLATE "C" NOT NULL,
  request     text COLLATE "C" NOT NULL,
  step        bigint NOT NULL,
  system      text NOT NULL,
  table_name  text NOT NULL,
  action      text NOT NULL,
  expected    bigint NOT NULL,
  affected    bigint NOT NULL,
  gone        bigint NOT NULL,
  done_at     timestamptz,
  note        text NOT NULL,
  PRIMARY KEY (tenant, request, step),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);

CREATE TABLE finding (
  tenant      text COLLATE "C" NOT NULL,
  request     text COLLATE "C" NOT NULL,
  number      bigint NOT NULL,
  system      text NOT NULL,
  table_name  text NOT NULL,
  column_name text NOT NULL,
  kind        text NOT NULL,
  row_count   bigint NOT NULL,
  at          timestamptz NOT NULL,
  PRIMARY KEY (tenant, request, number),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);

CREATE TABLE hold (
  tenant      text COLLATE "C" NOT NULL,
  id          text COLLATE "C" NOT NULL,
  request     text COLLATE "C" NOT NULL,
  reason      bytea,
  actor_kind  text NOT NULL,
  actor_hash  text NOT NULL,
  placed_at   timestamptz NOT NULL,
  until_at    timestamptz,
  released_at timestamptz,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);
CREATE INDEX hold_request ON hold (tenant, request, placed_at);

CREATE TABLE obligation (
  tenant         text COLLATE "C" NOT NULL,
  id             text COLLATE "C" NOT NULL,
  request        text COLLATE "C" NOT NULL,
  submission     text COLLATE "C" NOT NULL,
  system         text NOT NULL,
  table_name     text NOT NULL,
  kind           text NOT NULL,
  row_count      bigint NOT NULL,
  due_on         date NOT NULL,
  ground         text NOT NULL,
  state          text NOT NULL,
  step           bigint NOT NULL,
  done_at        timestamptz,
  attempts       bigint NOT NULL,
  next_action_at timestamptz,
  lease_until    timestamptz,
  epoch          bigint NOT NULL,
  created_at     timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id),
  FOREIGN KEY (tenant, submission) REFERENCES submission (tenant, id)
);
CREATE INDEX obligation_due ON obligation (tenant, due_on, id);
CREATE INDEX obligation_request ON obligation (tenant, request);
CREATE INDEX obligation_next ON obligation (tenant, next_action_at) WHERE state = 'open';

CREATE TABLE suppression (
  tenant          text COLLATE "C" NOT NULL REFERENCES tenant (tenant),
  id              text COLLATE "C" NOT NULL,
  list            text NOT NULL,
  identifier_hash text NOT NULL,
  request         text COLLATE "C" NOT NULL,
  since           timestamptz NOT NULL,
  lifted_at       timestamptz,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX suppression_once ON suppression (tenant, identifier_hash, list, request);
CREATE INDEX suppression_request ON suppression (tenant, request);

CREATE TABLE note (
  tenant     text COLLATE "C" NOT NULL,
  id         text COLLATE "C" NOT NULL,
  request    text COLLATE "C" NOT NULL,
  actor_kind text NOT NULL,
  actor_hash text NOT NULL,
  subject    text NOT NULL,
  at         timestamptz NOT NULL,
  body       bytea,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);
CREATE INDEX note_request ON note (tenant, request, at, id);

CREATE TABLE message (
  tenant     text COLLATE "C" NOT NULL,
  id         text COLLATE "C" NOT NULL,
  submission text COLLATE "C" NOT NULL,
  request    text COLLATE "C" NOT NULL,
  direction  text NOT NULL,
  actor_kind text NOT NULL,
  actor_hash text NOT NULL,
  at         timestamptz NOT NULL,
  body       bytea,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, submission) REFERENCES submission (tenant, id)
);
CREATE INDEX message_submission ON message (tenant, submission, at, id);

CREATE TABLE attachment (
  tenant  text COLLATE "C" NOT NULL,
  id      text COLLATE "C" NOT NULL,
  message text COLLATE "C" NOT NULL,
  number  bigint NOT NULL,
  size    bigint NOT NULL,
  label   bytea NOT NULL,
  content bytea NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, message) REFERENCES message (tenant, id)
);
CREATE INDEX attachment_message ON attachment (tenant, message, number);

CREATE TABLE mail (
  tenant       text COLLATE "C" NOT NULL REFERENCES tenant (tenant),
  id           text COLLATE "C" NOT NULL,
  kind         text NOT NULL,
  dedupe_key   text NOT NULL,
  submission   text COLLATE "C" NOT NULL,
  request      text COLLATE "C" NOT NULL,
  address_hash text NOT NULL,
  letter       bytea,
  state        text NOT NULL,
  attempts     bigint NOT NULL,
  next_at      timestamptz,
  sent_at      timestamptz,
  lease_until  timestamptz,
  last_error   text NOT NULL,
  epoch        bigint NOT NULL,
  created_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX mail_dedupe ON mail (tenant, dedupe_key);
CREATE INDEX mail_submission ON mail (tenant, submission);
CREATE INDEX mail_address ON mail (tenant, address_hash, kind, created_at);
CREATE INDEX mail_next ON mail (tenant, next_at) WHERE state = 'queued';

CREATE TABLE endpoint (
  tenant     text COLLATE "C" NOT NULL REFERENCES tenant (tenant),
  id         text COLLATE "C" NOT NULL,
  url        bytea NOT NULL,
  events     text NOT NULL,
  secrets    bytea NOT NULL,
  disabled   boolean NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id)
);

CREATE TABLE delivery (
  tenant      text COLLATE "C" NOT NULL,
  id          text COLLATE "C" NOT NULL,
  endpoint    text COLLATE "C" NOT NULL,
  event       text NOT NULL,
  body        bytea,
  dedupe_key  text NOT NULL,
  state       text NOT NULL,
  attempts    bigint NOT NULL,
  next_at     timestamptz,
  sent_at     timestamptz,
  lease_until timestamptz,
  last_status bigint NOT NULL,
  last_error  text NOT NULL,
  epoch       bigint NOT NULL,
  created_at  timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, endpoint) REFERENCES endpoint (tenant, id)
);
CREATE UNIQUE INDEX delivery_dedupe ON delivery (tenant, endpoint, dedupe_key);
CREATE INDEX delivery_next ON delivery (tenant, next_at) WHERE state = 'queued';

CREATE TABLE source (
  tenant     text COLLATE "C" NOT NULL REFERENCES tenant (tenant),
  id         text COLLATE "C" NOT NULL,
  name       text NOT NULL,
  secrets    bytea NOT NULL,
  disabled   boolean NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX source_name ON source (tenant, name);

-- Ids of inbound messages, kept for ever: a replay is refused however late it comes.
CREATE TABLE inbound (
  tenant  text COLLATE "C" NOT NULL REFERENCES tenant (tenant),
  source  text NOT NULL,
  id      text COLLATE "C" NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, source, id)
);

CREATE TABLE package (
  tenant       text COLLATE "C" NOT NULL,
  id           text COLLATE "C" NOT NULL,
  submission   text COLLATE "C" NOT NULL,
  request      text COLLATE "C" NOT NULL,
  blob_key     text NOT NULL,
  wrapped_key  bytea,
  size         bigint NOT NULL,
  row_count    bigint NOT NULL,
  sha256       text NOT NULL,
  made_at      timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  destroyed_at timestamptz,
  released_at  timestamptz,
  downloads    bigint NOT NULL,
  manifest     bytea,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, submission) REFERENCES submission (tenant, id),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);
CREATE INDEX package_request ON package (tenant, request, made_at);
CREATE INDEX package_submission ON package (tenant, submission);
CREATE INDEX package_expiry ON package (tenant, expires_at) WHERE destroyed_at IS NULL;

CREATE TABLE answer (
  tenant     text COLLATE "C" NOT NULL REFERENCES tenant (tenant),
  key        text COLLATE "C" NOT NULL,
  body_hash  text NOT NULL,
  status     bigint NOT NULL,
  body       bytea,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, key)
);
CREATE INDEX answer_age ON answer (tenant, created_at);

CREATE TABLE officer (
  tenant      text COLLATE "C" NOT NULL REFERENCES tenant (tenant),
  id          text COLLATE "C" NOT NULL,
  email       bytea NOT NULL,
  email_hash  text NOT NULL,
  name        bytea NOT NULL,
  subject     text NOT NULL,
  roles       text NOT NULL,
  disabled_at timestamptz,
  created_at  timestamptz NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX officer_subject ON officer (tenant, subject);
CREATE INDEX officer_email ON officer (tenant, email_hash);

-- The audit log. Leaves are written inside the transaction of the act and never touched again; their numbers,
-- hashes and signed heads follow, each in a table that only grows.
CREATE TABLE audit_leaf (
  tenant text COLLATE "C" NOT NULL REFERENCES tenant (tenant),
  id     text COLLATE "C" NOT NULL,
  at     timestamptz NOT NULL,
  leaf   bytea NOT NULL,
  PRIMARY KEY (tenant, id)
);

CREATE TABLE audit_pending (
  tenant text COLLATE "C" NOT NULL,
  id     text COLLATE "C" NOT NULL,
  at     timestamptz NOT NULL,
  PRIMARY KEY (tenant, at, id),
  FOREIGN KEY (tenant, id) REFERENCES audit_leaf (tenant, id)
);

CREATE TABLE audit_sequence (
  tenant  text COLLATE "C" NOT NULL,
  seq     bigint NOT NULL,
  id      text COLLATE "C" NOT NULL,
  at      timestamptz NOT NULL,
  action  text NOT NULL,
  object  text NOT NULL,
  PRIMARY KEY (tenant, seq),
  FOREIGN KEY (tenant, id) REFERENCES audit_leaf (tenant, id)
);
CREATE UNIQUE INDEX audit_sequence_once ON audit_sequence (tenant, id);
CREATE INDEX audit_sequence_object ON audit_sequence (tenant, object, seq);

CREATE TABLE audit_hash (
  tenant text COLLATE "C" NOT NULL REFERENCES tenant (tenant),
  number bigint NOT NULL,
  hash   bytea NOT NULL,
  PRIMARY KEY (tenant, number)
);

CREATE TABLE audit_checkpoint (
  tenant text COLLATE "C" NOT NULL REFERENCES tenant (tenant),
  size   bigint NOT NULL,
  note   text NOT NULL,
  at     timestamptz NOT NULL,
  PRIMARY KEY (tenant, size)
);

-- Forced for the owner too, and without a policy until store.Migrate names the roles: nobody sees a row by mistake.
ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
ALTER TABLE config ENABLE ROW LEVEL SECURITY;
ALTER TABLE config FORCE ROW LEVEL SECURITY;
ALTER TABLE submission ENABLE ROW LEVEL SECURITY;
ALTER TABLE submission FORCE ROW LEVEL SECURITY;
ALTER TABLE request ENABLE ROW LEVEL SECURITY;
ALTER TABLE request FORCE ROW LEVEL SECURITY;
ALTER TABLE request_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE request_event FORCE ROW LEVEL SECURITY;
ALTER TABLE token ENABLE ROW LEVEL SECURITY;
ALTER TABLE token FORCE ROW LEVEL SECURITY;
ALTER TABLE plan ENABLE ROW LEVEL SECURITY;
ALTER TABLE plan FORCE ROW LEVEL SECURITY;
ALTER TABLE approval ENABLE ROW LEVEL SECURITY;
ALTER TABLE approval FORCE ROW LEVEL SECURITY;
ALTER TABLE capture_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE capture_key FORCE ROW LEVEL SECURITY;
ALTER TABLE capture ENABLE ROW LEVEL SECURITY;
ALTER TABLE capture FORCE ROW LEVEL SECURITY;
ALTER TABLE step ENABLE ROW LEVEL SECURITY;
ALTER TABLE step FORCE ROW LEVEL SECURITY;
ALTER TABLE finding ENABLE ROW LEVEL SECURITY;
ALTER TABLE finding FORCE ROW LEVEL SECURITY;
ALTER TABLE hold ENABLE ROW LEVEL SECURITY;
ALTER TABLE hold FORCE ROW LEVEL SECURITY;
ALTER TABLE obligation ENABLE ROW LEVEL SECURITY;
ALTER TABLE obligation FORCE ROW LEVEL SECURITY;
ALTER TABLE suppression ENABLE ROW LEVEL SECURITY;
ALTER TABLE suppression FORCE ROW LEVEL SECURITY;
ALTER TABLE note ENABLE ROW LEVEL SECURITY;
ALTER TABLE note FORCE ROW LEVEL SECURITY;
ALTER TABLE message ENABLE ROW LEVEL SECURITY;
ALTER TABLE message FORCE ROW LEVEL SECURITY;
ALTER TABLE attachment ENABLE ROW LEVEL SECURITY;
ALTER TABLE attachment FORCE ROW LEVEL SECURITY;
ALTER TABLE mail ENABLE ROW LEVEL SECURITY;
ALTER TABLE mail FORCE ROW LEVEL SECURITY;
ALTER TABLE endpoint ENABLE ROW LEVEL SECURITY;
ALTER TABLE endpoint FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery FORCE ROW LEVEL SECURITY;
ALTER TABLE source ENABLE ROW LEVEL SECURITY;
ALTER TABLE source FORCE ROW LEVEL SECURITY;
ALTER TABLE inbound ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbound FORCE ROW LEVEL SECURITY;
ALTER TABLE package ENABLE ROW LEVEL SECURITY;
ALTER TABLE package FORCE ROW LEVEL SECURITY;
ALTER TABLE answer ENABLE ROW LEVEL SECURITY;
ALTER TABLE answer FORCE ROW LEVEL SECURITY;
ALTER TABLE officer ENABLE ROW LEVEL SECURITY;
ALTER TABLE officer FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_leaf ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_leaf FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_pending ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_pending FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_sequence ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_sequence FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_hash ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_hash FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_checkpoint ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_checkpoint FORCE ROW LEVEL SECURITY;

-- The tenant of this transaction. Unset means a mistake in the program, and an error is better than an empty
-- answer that reads like "nothing held". After the first transaction of a connection the setting is '' and not NULL.
-- +goose StatementBegin
CREATE FUNCTION public.app_tenant() RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE t text := current_setting('app.tenant', true);
BEGIN
  IF t IS NULL OR t = '' THEN
    RAISE EXCEPTION 'no tenant is set in this transaction' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN t;
END $$;
-- +goose StatementEnd

-- The names of the tenants, and nothing else of them. Owned by the sweeper role (store.Migrate).
-- +goose StatementBegin
CREATE FUNCTION public.app_tenants() RETURNS SETOF text
  LANGUAGE sql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
  SELECT tenant FROM public.tenant ORDER BY tenant
$$;
-- +goose StatementEnd

-- What is due, across the tenants: ids and kinds. Ranked within each tenant first, so that one with a long list
-- does not slow the others. Owned by the sweeper role (store.Migrate).
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

-- +goose Down
DROP FUNCTION public.app_due(timestamptz, int);
DROP FUNCTION public.app_tenants();
DROP TABLE audit_checkpoint;
DROP TABLE audit_hash;
DROP TABLE audit_sequence;
DROP TABLE audit_pending;
DROP TABLE audit_leaf;
DROP TABLE officer;
DROP TABLE answer;
DROP TABLE package;
DROP TABLE inbound;
DROP TABLE source;
DROP TABLE delivery;
DROP TABLE endpoint;
DROP TABLE mail;
DROP TABLE attachment;
DROP TABLE message;
DROP TABLE note;
DROP TABLE suppression;
DROP TABLE obligation;
DROP TABLE hold;
DROP TABLE finding;
DROP TABLE step;
DROP TABLE capture;
DROP TABLE capture_key;
DROP TABLE approval;
DROP TABLE plan;
DROP TABLE token;
DROP TABLE request_event;
DROP TABLE request;
DROP TABLE submission;
DROP TABLE config;
DROP TABLE tenant;
DROP FUNCTION public.app_tenant();
