-- One table of persons above customers and staff, addresses of e-mail in a table of their own.
-- engines: postgres mysql sqlite
-- subject: email_addresses.address
-- owns: email_addresses>persons:person_id phone_numbers>persons:person_id memberships>persons:person_id invoices>memberships:membership_id donations>persons:donor_id
-- personal: persons.first_name persons.last_name persons.birth_date email_addresses.address phone_numbers.number-
CREATE TABLE persons (id integer PRIMARY KEY, first_name varchar(60), last_name varchar(60), birth_date date);
CREATE TABLE email_addresses (id integer PRIMARY KEY, person_id integer NOT NULL REFERENCES persons (id), address varchar(120) NOT NULL, verified_at timestamp NULL);
CREATE TABLE phone_numbers (id integer PRIMARY KEY, person_id integer NOT NULL REFERENCES persons (id), number varchar(30));
CREATE TABLE memberships (id integer PRIMARY KEY, person_id integer NOT NULL REFERENCES persons (id), tier varchar(20));
CREATE TABLE invoices (id integer PRIMARY KEY, membership_id integer NOT NULL REFERENCES memberships (id), issued_on date, cents integer);
CREATE TABLE donations (id integer PRIMARY KEY, donor_id integer REFERENCES persons (id), cents integer, given_on date);
CREATE TABLE campaigns (id integer PRIMARY KEY, title varchar(60));
INSERT INTO persons VALUES (1, 'Ada', 'L', NULL), (2, 'Bob', 'M', NULL);
INSERT INTO email_addresses VALUES (1, 1, 'ada@example.org', NULL), (2, 2, 'bob@example.org', NULL);
