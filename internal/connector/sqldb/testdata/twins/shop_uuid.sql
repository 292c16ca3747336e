-- UUIDs as keys, guests who order with an e-mail address alone, two addresses to an order.
-- engines: postgres mysql
-- subject: account.email
-- owns: purchase>account:account_id purchase~contact_email purchase_line>purchase:purchase_id wishlist>account:account_id postal_address>account:account_id stored_card>account:account_id review>account:account_id refund>purchase:purchase_id stock_alert~email
-- personal: account.email account.display_name account.secret_hash- purchase.contact_email postal_address.line1- postal_address.street postal_address.postal_code postal_address.recipient_name stored_card.last4 stored_card.holder_name review.body stock_alert.email
CREATE TABLE account (id char(36) PRIMARY KEY, email varchar(120) NOT NULL UNIQUE, display_name varchar(60), secret_hash varchar(100));
CREATE TABLE postal_address (id char(36) PRIMARY KEY, account_id char(36) NOT NULL REFERENCES account (id), recipient_name varchar(80), street varchar(80), postal_code varchar(12));
CREATE TABLE stored_card (id char(36) PRIMARY KEY, account_id char(36) NOT NULL REFERENCES account (id), holder_name varchar(80), last4 varchar(4), billing_address_id char(36));
CREATE TABLE purchase (id char(36) PRIMARY KEY, account_id char(36) REFERENCES account (id), contact_email varchar(120), placed_at timestamp NULL, ship_to char(36), bill_to_address_id char(36), stored_card_id char(36));
CREATE TABLE purchase_line (id char(36) PRIMARY KEY, purchase_id char(36) NOT NULL REFERENCES purchase (id), sku varchar(20), qty integer);
CREATE TABLE refund (id char(36) PRIMARY KEY, purchase_id char(36) NOT NULL REFERENCES purchase (id), cents integer);
CREATE TABLE wishlist (id char(36) PRIMARY KEY, account_id char(36) NOT NULL, sku varchar(20));
CREATE TABLE review (id char(36) PRIMARY KEY, account_id char(36) NOT NULL REFERENCES account (id), sku varchar(20), body varchar(2000));
CREATE TABLE stock_alert (id char(36) PRIMARY KEY, email varchar(120) NOT NULL, sku varchar(20));
CREATE TABLE sku (code varchar(20) PRIMARY KEY, label varchar(60));
INSERT INTO account VALUES ('00000000-0000-4000-8000-000000000001', 'ada@example.org', 'Ada', 'x'), ('00000000-0000-4000-8000-000000000002', 'bob@example.org', 'Bob', 'x');
INSERT INTO purchase VALUES ('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001', NULL, NULL, NULL, NULL, NULL), ('00000000-0000-4000-8000-000000000012', NULL, 'guest@example.net', NULL, NULL, NULL, NULL);
INSERT INTO wishlist VALUES ('00000000-0000-4000-8000-000000000021', '00000000-0000-4000-8000-000000000002', 'S1');
