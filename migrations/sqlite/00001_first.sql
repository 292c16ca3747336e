-- +goose Up
-- One row a tenant: its data key, wrapped by the master key, and the key that signs its audit log.
CREATE TABLE tenant (
  tenant      TEXT NOT NULL PRIMARY KEY,
  wrapped_key BLOB NOT NULL,
  signer      BLOB NOT NULL,
  vkey        TEXT NOT NULL,
  created_at  TIMESTAMP NOT NULL
);

CREATE TABLE config (
  tenant         TEXT NOT NULL REFERENCES tenant (tenant),
  version        INTEGER NOT NULL,
  policy_version TEXT NOT NULL,
  policy         BLOB NOT NULL,
  data_map       BLOB NOT NULL,
  digest         TEXT NOT NULL,
  applied_at     TIMESTAMP NOT NULL,
  PRIMARY KEY (tenant, version)
);

CREATE TABLE submission (
  tenant         TEXT NOT NULL REFERENCES tenant (tenant),
  id             TEXT NOT NULL,
  reference      TEXT NOT NULL,
  channel        TEXT NOT NULL,
  subject        TEXT NOT NULL,
  jurisdiction   TEXT NOT NULL,
  language       TEXT NOT NULL,
  config_version INTEGER NOT NULL,
  policy_version TEXT NOT NULL,
  received_at    TIMESTAMP NOT NULL,
  verified_at    TIMESTAMP,
  expires_at     TIMESTAMP,
  org            TEXT NOT NULL,
  created_by     TEXT NOT NULL,
  purge_on       DATE,
  purged_at      TIMESTAMP,
  email_hash     TEXT NOT NULL,
  wrapped_key    BLOB,
  person         BLOB,
  proofs         BLOB,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX submission_reference ON submission (tenant, reference);
CREATE INDEX submission_email ON submission (tenant, email_hash, received_at);

CREATE TABLE request (
  tenant              TEXT NOT NULL,
  id                  TEXT NOT NULL,
  submission          TEXT NOT NULL,
  reference           TEXT NOT NULL,
  right_asked         TEXT NOT NULL,
  status              TEXT NOT NULL,
  received_at         TIMESTAMP NOT NULL,
  acknowledge_by      DATE,
  due_on              DATE,
  due_on_conservative DATE,
  extended_until      DATE,
  sort_on             DATE NOT NULL,
  clock_paused        BOOLEAN NOT NULL,
  clock_events        TEXT NOT NULL,
  answered_at         TIMESTAMP,
  on_hold             BOOLEAN NOT NULL,
  awaiting_controller BOOLEAN NOT NULL,
  needs_attention     TEXT NOT NULL,
  assignee            TEXT NOT NULL,
  plan_digest         TEXT NOT NULL,
  plan_made_at        TIMESTAMP,
  grace_ends_at       TIMESTAMP,
  stage               TEXT NOT NULL,
  deny_ground         TEXT NOT NULL,
  changes             BLOB,
  decision            BLOB,
  next_action_at      TIMESTAMP,
  lease_until         TIMESTAMP,
  epoch               INTEGER NOT NULL,
  attempts            INTEGER NOT NULL,
  created_at          TIMESTAMP NOT NULL,
  updated_at          TIMESTAMP NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, submission) REFERENCES submission (tenant, id)
);
CREATE INDEX request_submission ON request (tenant, submission);
CREATE INDEX request_due ON request (tenant, sort_on, id);
CREATE INDEX request_received ON request (tenant, received_at, id);
CREATE INDEX request_status ON request (tenant, status, sort_on, id);
CREATE INDEX request_next ON request (tenant, next_action_at) WHERE next_action_at IS NOT NULL;

CREATE TABLE request_event (
  tenant      TEXT NOT NULL,
  id          TEXT NOT NULL,
  request     TEXT NOT NULL,
  at          TIMESTAMP NOT NULL,
  name        TEXT NOT NULL,
  from_status TEXT NOT NULL,
  to_status   TEXT NOT NULL,
  actor_kind  TEXT NOT NULL,
  actor_hash  TEXT NOT NULL,
  facts       TEXT NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);
CREATE INDEX request_event_request ON request_event (tenant, request, at, id);

-- No foreign key to submission: an officer's token has none.
CREATE TABLE token (
  tenant       TEXT NOT NULL REFERENCES tenant (tenant),
  id           TEXT NOT NULL,
  purpose      TEXT NOT NULL,
  submission   TEXT NOT NULL,
  subject      TEXT NOT NULL,
  hash         TEXT NOT NULL,
  code_hash    TEXT NOT NULL,
  expires_at   TIMESTAMP NOT NULL,
  used_at      TIMESTAMP,
  tries        INTEGER NOT NULL,
  address_hash TEXT NOT NULL,
  data         BLOB,
  created_at   TIMESTAMP NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX token_hash ON token (tenant, purpose, hash) WHERE hash <> '';
CREATE INDEX token_owner ON token (tenant, submission, purpose);
CREATE INDEX token_address ON token (tenant, purpose, address_hash, created_at);
CREATE INDEX token_expiry ON token (tenant, expires_at);

CREATE TABLE plan (
  tenant  TEXT NOT NULL,
  request TEXT NOT NULL,
  digest  TEXT NOT NULL,
  number  INTEGER NOT NULL,
  made_at TIMESTAMP NOT NULL,
  body    BLOB,
  PRIMARY KEY (tenant, request, digest),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);

CREATE TABLE approval (
  tenant     TEXT NOT NULL,
  request    TEXT NOT NULL,
  digest     TEXT NOT NULL,
  subject    TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_hash TEXT NOT NULL,
  role       TEXT NOT NULL,
  at         TIMESTAMP NOT NULL,
  note       BLOB,
  PRIMARY KEY (tenant, request, digest, subject),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);

-- Captured keys have a key of their own a request: an obligation may need them after the submission is forgotten.
CREATE TABLE capture_key (
  tenant      TEXT NOT NULL,
  request     TEXT NOT NULL,
  wrapped_key BLOB NOT NULL,
  PRIMARY KEY (tenant, request),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);

CREATE TABLE capture (
  tenant  TEXT NOT NULL,
  request TEXT NOT NULL,
  step    INTEGER NOT NULL,
  chunk   INTEGER NOT NULL,
  keys    BLOB NOT NULL,
  PRIMARY KEY (tenant, request, step, chunk),
  FOREIGN KEY (tenant, request) REFERENCES capture_key (tenant, request)
);

CREATE TABLE step (
  tenant      TEXT NOT NULL,
  request     TEXT NOT NULL,
  step        INTEGER NOT NULL,
  system      TEXT NOT NULL,
  table_name  TEXT NOT NULL,
  action      TEXT NOT NULL,
  expected    INTEGER NOT NULL,
  affected    INTEGER NOT NULL,
  gone        INTEGER NOT NULL,
  done_at     TIMESTAMP,
  note        TEXT NOT NULL,
  PRIMARY KEY (tenant, request, step),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);

CREATE TABLE finding (
  tenant      TEXT NOT NULL,
  request     TEXT NOT NULL,
  number      INTEGER NOT NULL,
  system      TEXT NOT NULL,
  table_name  TEXT NOT NULL,
  column_name TEXT NOT NULL,
  kind        TEXT NOT NULL,
  row_count   INTEGER NOT NULL,
  at          TIMESTAMP NOT NULL,
  PRIMARY KEY (tenant, request, number),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);

CREATE TABLE hold (
  tenant      TEXT NOT NULL,
  id          TEXT NOT NULL,
  request     TEXT NOT NULL,
  reason      BLOB,
  actor_kind  TEXT NOT NULL,
  actor_hash  TEXT NOT NULL,
  placed_at   TIMESTAMP NOT NULL,
  until_at    TIMESTAMP,
  released_at TIMESTAMP,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);
CREATE INDEX hold_request ON hold (tenant, request, placed_at);

CREATE TABLE obligation (
  tenant         TEXT NOT NULL,
  id             TEXT NOT NULL,
  request        TEXT NOT NULL,
  submission     TEXT NOT NULL,
  system         TEXT NOT NULL,
  table_name     TEXT NOT NULL,
  kind           TEXT NOT NULL,
  row_count      INTEGER NOT NULL,
  due_on         DATE NOT NULL,
  ground         TEXT NOT NULL,
  state          TEXT NOT NULL,
  step           INTEGER NOT NULL,
  done_at        TIMESTAMP,
  attempts       INTEGER NOT NULL,
  next_action_at TIMESTAMP,
  lease_until    TIMESTAMP,
  epoch          INTEGER NOT NULL,
  created_at     TIMESTAMP NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id),
  FOREIGN KEY (tenant, submission) REFERENCES submission (tenant, id)
);
CREATE INDEX obligation_due ON obligation (tenant, due_on, id);
CREATE INDEX obligation_request ON obligation (tenant, request);
CREATE INDEX obligation_next ON obligation (tenant, next_action_at) WHERE state = 'open';

CREATE TABLE suppression (
  tenant          TEXT NOT NULL REFERENCES tenant (tenant),
  id              TEXT NOT NULL,
  list            TEXT NOT NULL,
  identifier_hash TEXT NOT NULL,
  request         TEXT NOT NULL,
  since           TIMESTAMP NOT NULL,
  lifted_at       TIMESTAMP,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX suppression_once ON suppression (tenant, identifier_hash, list, request);
CREATE INDEX suppression_request ON suppression (tenant, request);

CREATE TABLE note (
  tenant     TEXT NOT NULL,
  id         TEXT NOT NULL,
  request    TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_hash TEXT NOT NULL,
  subject    TEXT NOT NULL,
  at         TIMESTAMP NOT NULL,
  body       BLOB,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);
CREATE INDEX note_request ON note (tenant, request, at, id);

CREATE TABLE message (
  tenant     TEXT NOT NULL,
  id         TEXT NOT NULL,
  submission TEXT NOT NULL,
  request    TEXT NOT NULL,
  direction  TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_hash TEXT NOT NULL,
  at         TIMESTAMP NOT NULL,
  body       BLOB,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, submission) REFERENCES submission (tenant, id)
);
CREATE INDEX message_submission ON message (tenant, submission, at, id);

CREATE TABLE attachment (
  tenant  TEXT NOT NULL,
  id      TEXT NOT NULL,
  message TEXT NOT NULL,
  number  INTEGER NOT NULL,
  size    INTEGER NOT NULL,
  label   BLOB NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, message) REFERENCES message (tenant, id)
);
CREATE INDEX attachment_message ON attachment (tenant, message, number);

CREATE TABLE mail (
  tenant       TEXT NOT NULL REFERENCES tenant (tenant),
  id           TEXT NOT NULL,
  kind         TEXT NOT NULL,
  dedupe_key   TEXT NOT NULL,
  submission   TEXT NOT NULL,
  request      TEXT NOT NULL,
  address_hash TEXT NOT NULL,
  letter       BLOB,
  state        TEXT NOT NULL,
  attempts     INTEGER NOT NULL,
  next_at      TIMESTAMP,
  sent_at      TIMESTAMP,
  lease_until  TIMESTAMP,
  last_error   TEXT NOT NULL,
  epoch        INTEGER NOT NULL,
  created_at   TIMESTAMP NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX mail_dedupe ON mail (tenant, dedupe_key);
CREATE INDEX mail_submission ON mail (tenant, submission);
CREATE INDEX mail_address ON mail (tenant, address_hash, kind, created_at);
CREATE INDEX mail_next ON mail (tenant, next_at) WHERE state = 'queued';

CREATE TABLE endpoint (
  tenant     TEXT NOT NULL REFERENCES tenant (tenant),
  id         TEXT NOT NULL,
  url        BLOB NOT NULL,
  events     TEXT NOT NULL,
  secrets    BLOB NOT NULL,
  disabled   BOOLEAN NOT NULL,
  created_at TIMESTAMP NOT NULL,
  PRIMARY KEY (tenant, id)
);

CREATE TABLE delivery (
  tenant      TEXT NOT NULL,
  id          TEXT NOT NULL,
  endpoint    TEXT NOT NULL,
  event       TEXT NOT NULL,
  body        BLOB,
  dedupe_key  TEXT NOT NULL,
  state       TEXT NOT NULL,
  attempts    INTEGER NOT NULL,
  next_at     TIMESTAMP,
  sent_at     TIMESTAMP,
  lease_until TIMESTAMP,
  last_status INTEGER NOT NULL,
  last_error  TEXT NOT NULL,
  epoch       INTEGER NOT NULL,
  created_at  TIMESTAMP NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, endpoint) REFERENCES endpoint (tenant, id)
);
CREATE UNIQUE INDEX delivery_dedupe ON delivery (tenant, endpoint, dedupe_key);
CREATE INDEX delivery_next ON delivery (tenant, next_at) WHERE state = 'queued';

CREATE TABLE source (
  tenant     TEXT NOT NULL REFERENCES tenant (tenant),
  id         TEXT NOT NULL,
  name       TEXT NOT NULL,
  secrets    BLOB NOT NULL,
  disabled   BOOLEAN NOT NULL,
  created_at TIMESTAMP NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX source_name ON source (tenant, name);

-- Ids of inbound messages, kept for ever: a replay is refused however late it comes.
CREATE TABLE inbound (
  tenant  TEXT NOT NULL REFERENCES tenant (tenant),
  source  TEXT NOT NULL,
  id      TEXT NOT NULL,
  seen_at TIMESTAMP NOT NULL,
  PRIMARY KEY (tenant, source, id)
);

CREATE TABLE package (
  tenant       TEXT NOT NULL,
  id           TEXT NOT NULL,
  submission   TEXT NOT NULL,
  request      TEXT NOT NULL,
  blob_key     TEXT NOT NULL,
  wrapped_key  BLOB,
  size         INTEGER NOT NULL,
  row_count    INTEGER NOT NULL,
  sha256       TEXT NOT NULL,
  made_at      TIMESTAMP NOT NULL,
  expires_at   TIMESTAMP NOT NULL,
  destroyed_at TIMESTAMP,
  released_at  TIMESTAMP,
  downloads    INTEGER NOT NULL,
  manifest     BLOB,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, submission) REFERENCES submission (tenant, id),
  FOREIGN KEY (tenant, request) REFERENCES request (tenant, id)
);
CREATE INDEX package_request ON package (tenant, request, made_at);
CREATE INDEX package_submission ON package (tenant, submission);
CREATE INDEX package_expiry ON package (tenant, expires_at) WHERE destroyed_at IS NULL;

CREATE TABLE answer (
  tenant     TEXT NOT NULL REFERENCES tenant (tenant),
  key        TEXT NOT NULL,
  body_hash  TEXT NOT NULL,
  status     INTEGER NOT NULL,
  body       BLOB,
  created_at TIMESTAMP NOT NULL,
  PRIMARY KEY (tenant, key)
);
CREATE INDEX answer_age ON answer (tenant, created_at);

CREATE TABLE officer (
  tenant      TEXT NOT NULL REFERENCES tenant (tenant),
  id          TEXT NOT NULL,
  email       BLOB NOT NULL,
  email_hash  TEXT NOT NULL,
  name        BLOB NOT NULL,
  subject     TEXT NOT NULL,
  roles       TEXT NOT NULL,
  disabled_at TIMESTAMP,
  created_at  TIMESTAMP NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX officer_subject ON officer (tenant, subject);
CREATE INDEX officer_email ON officer (tenant, email_hash);

-- The audit log. Leaves are written inside the transaction of the act and never touched again; their numbers,
-- hashes and signed heads follow, each in a table that only grows.
CREATE TABLE audit_leaf (
  tenant TEXT NOT NULL REFERENCES tenant (tenant),
  id     TEXT NOT NULL,
  at     TIMESTAMP NOT NULL,
  leaf   BLOB NOT NULL,
  PRIMARY KEY (tenant, id)
);

CREATE TABLE audit_pending (
  tenant TEXT NOT NULL,
  id     TEXT NOT NULL,
  at     TIMESTAMP NOT NULL,
  PRIMARY KEY (tenant, at, id),
  FOREIGN KEY (tenant, id) REFERENCES audit_leaf (tenant, id)
);

CREATE TABLE audit_sequence (
  tenant  TEXT NOT NULL,
  seq     INTEGER NOT NULL,
  id      TEXT NOT NULL,
  at      TIMESTAMP NOT NULL,
  action  TEXT NOT NULL,
  object  TEXT NOT NULL,
  PRIMARY KEY (tenant, seq),
  FOREIGN KEY (tenant, id) REFERENCES audit_leaf (tenant, id)
);
CREATE UNIQUE INDEX audit_sequence_once ON audit_sequence (tenant, id);
CREATE INDEX audit_sequence_object ON audit_sequence (tenant, object, seq);

CREATE TABLE audit_hash (
  tenant TEXT NOT NULL REFERENCES tenant (tenant),
  number INTEGER NOT NULL,
  hash   BLOB NOT NULL,
  PRIMARY KEY (tenant, number)
);

CREATE TABLE audit_checkpoint (
  tenant TEXT NOT NULL REFERENCES tenant (tenant),
  size   INTEGER NOT NULL,
  note   TEXT NOT NULL,
  at     TIMESTAMP NOT NULL,
  PRIMARY KEY (tenant, size)
);

-- PostgreSQL does this by grants.
-- +goose StatementBegin
CREATE TRIGGER audit_leaf_no_update BEFORE UPDATE ON audit_leaf
BEGIN SELECT RAISE(ABORT, 'audit_leaf only grows'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_leaf_no_delete BEFORE DELETE ON audit_leaf
BEGIN SELECT RAISE(ABORT, 'audit_leaf only grows'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_sequence_no_update BEFORE UPDATE ON audit_sequence
BEGIN SELECT RAISE(ABORT, 'audit_sequence only grows'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_sequence_no_delete BEFORE DELETE ON audit_sequence
BEGIN SELECT RAISE(ABORT, 'audit_sequence only grows'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_hash_no_update BEFORE UPDATE ON audit_hash
BEGIN SELECT RAISE(ABORT, 'audit_hash only grows'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_hash_no_delete BEFORE DELETE ON audit_hash
BEGIN SELECT RAISE(ABORT, 'audit_hash only grows'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint
BEGIN SELECT RAISE(ABORT, 'audit_checkpoint only grows'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint
BEGIN SELECT RAISE(ABORT, 'audit_checkpoint only grows'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER request_event_no_update BEFORE UPDATE ON request_event
BEGIN SELECT RAISE(ABORT, 'request_event only grows'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER request_event_no_delete BEFORE DELETE ON request_event
BEGIN SELECT RAISE(ABORT, 'request_event only grows'); END;
-- +goose StatementEnd

-- +goose Down
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
