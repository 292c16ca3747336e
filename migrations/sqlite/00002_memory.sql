-- +goose Up
-- What a package held, as keyed marks in a sealed file, so that the next one can tell what changed. One row for each
-- identifier of the person, known by its keyed hash alone. It outlives the submission, so its key is the tenant's.
CREATE TABLE memory (
  tenant          TEXT NOT NULL REFERENCES tenant (tenant),
  id              TEXT NOT NULL,
  identifier_hash TEXT NOT NULL,
  right_asked     TEXT NOT NULL,
  blob_key        TEXT NOT NULL,
  wrapped_key     BLOB,
  made_at         TIMESTAMP NOT NULL,
  expires_at      TIMESTAMP NOT NULL,
  PRIMARY KEY (tenant, id, identifier_hash)
);
CREATE INDEX memory_identifier ON memory (tenant, identifier_hash);
CREATE INDEX memory_expiry ON memory (tenant, expires_at);

-- +goose Down
DROP TABLE memory;
