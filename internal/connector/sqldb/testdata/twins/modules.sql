-- A schema for each module, odd names in quotes, and a copy beside them.
-- engines: postgres
-- subject: crm.Contact Person.E-Mail
-- owns: sales.order-header>Contact Person:contact person id; sales.order line>sales.order-header:order ref; support.Ticket>Contact Person:requester; support.message>support.Ticket:ticket_id
-- personal: Contact Person.E-Mail; Contact Person.Full Name; Contact Person.Mobile Phone; support.message.body
CREATE SCHEMA crm;
CREATE SCHEMA sales;
CREATE SCHEMA support;
CREATE SCHEMA crm_backup;
CREATE TABLE crm."Contact Person" ("contact person id" bigint PRIMARY KEY, "Full Name" text, "E-Mail" text UNIQUE, "Mobile Phone" text);
CREATE TABLE crm."Lead Source" (id bigint PRIMARY KEY, label text);
CREATE TABLE sales."order-header" ("order ref" text PRIMARY KEY, "contact person id" bigint NOT NULL REFERENCES crm."Contact Person", "when" date);
CREATE TABLE sales."order line" ("order ref" text NOT NULL REFERENCES sales."order-header", pos int, "say ""what""" text, PRIMARY KEY ("order ref", pos));
CREATE TABLE support."Ticket" (id bigint PRIMARY KEY, requester bigint NOT NULL REFERENCES crm."Contact Person", subject text);
CREATE TABLE support.message (id bigint PRIMARY KEY, ticket_id bigint NOT NULL, body text);
CREATE TABLE crm_backup."Contact Person" (LIKE crm."Contact Person" INCLUDING ALL);
CREATE TABLE crm_backup."Lead Source" (LIKE crm."Lead Source" INCLUDING ALL);
INSERT INTO crm."Contact Person" VALUES (71, 'Ada', 'ada@example.org', NULL), (72, 'Bob', 'bob@example.org', NULL);
INSERT INTO support."Ticket" VALUES (1, 71, 's'), (2, 72, 's');
INSERT INTO support.message VALUES (1, 1, 'b'), (2, 2, 'b');
