-- Measurements in partitions, contracts that inherit from one another, a materialized view.
-- engines: postgres
-- subject: subscriber.email
-- owns: reading>subscriber:subscriber_id contract>subscriber:subscriber_id contract_note>contract:contract_id
-- personal: subscriber.email subscriber.full_name contract_note.note
CREATE TABLE subscriber (id int PRIMARY KEY, email text NOT NULL UNIQUE, full_name text);
CREATE TABLE reading (subscriber_id int NOT NULL REFERENCES subscriber (id), at date NOT NULL, kwh numeric(10,3), PRIMARY KEY (subscriber_id, at)) PARTITION BY RANGE (at);
CREATE TABLE reading_2025 PARTITION OF reading FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE reading_2026 PARTITION OF reading FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE contract (id int PRIMARY KEY, subscriber_id int NOT NULL REFERENCES subscriber (id), since date);
CREATE TABLE contract_closed (LIKE contract) INHERITS (contract);
CREATE TABLE contract_note (id int PRIMARY KEY, contract_id int NOT NULL REFERENCES contract (id), note text);
CREATE TABLE tariff (id int PRIMARY KEY, label text);
CREATE MATERIALIZED VIEW subscriber_totals AS SELECT s.email, sum(r.kwh) FROM subscriber s JOIN reading r ON r.subscriber_id = s.id GROUP BY 1;
CREATE VIEW subscriber_list AS SELECT email, full_name FROM subscriber;
