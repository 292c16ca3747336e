package main

import (
	"fmt"
	"strings"
)

// statements gives the SQL that generates the shop. The heavy person's invoices are every tenth of the table; the
// others belong to people in turn. Indexes come last, as one builds a large table.
func (s shop) statements() []string {
	r := strings.NewReplacer("{customers}", fmt.Sprint(s.size.customers()), "{invoices}", fmt.Sprint(s.size.invoices()),
		"{products}", fmt.Sprint(products), "{heavy}", fmt.Sprint(heavyID), "{heavy_email}", heavyEmail)
	source := map[string]string{"postgres": postgresShop, "mysql": mysqlShop, "sqlite": sqliteShop}[s.engine]
	var out []string
	for q := range strings.SplitSeq(r.Replace(source), ";\n") {
		if q = strings.TrimSpace(q); q != "" {
			out = append(out, q)
		}
	}
	return out
}

const postgresShop = `
SET synchronous_commit = off;
SET maintenance_work_mem = '512MB';
SET max_parallel_maintenance_workers = 0;
CREATE TABLE customer (id bigint NOT NULL, email text NOT NULL, name text NOT NULL, phone text, street text, city text, country text, created_at timestamptz NOT NULL);
CREATE TABLE product (id int PRIMARY KEY, title text NOT NULL);
CREATE TABLE invoice (id bigint NOT NULL, customer_id bigint NOT NULL, issued_at timestamptz NOT NULL, street text, city text, country text, postal_code text, total numeric(10,2) NOT NULL);
CREATE TABLE invoice_line (id bigint NOT NULL, invoice_id bigint NOT NULL, product_id int NOT NULL, unit_price numeric(10,2) NOT NULL, quantity int NOT NULL);
INSERT INTO product SELECT i, 'Product ' || i FROM generate_series(1, {products}) i;
INSERT INTO customer SELECT i, CASE WHEN i = {heavy} THEN '{heavy_email}' ELSE 'customer' || i || '@shop.example' END, 'Person ' || i,
  '+41 44 ' || lpad(i::text, 7, '0'), i || ' Long Street', 'City ' || i % 500, 'Country ' || i % 50, '2019-01-01'::timestamptz + i % 2000 * interval '1 day'
  FROM generate_series(1, {customers}) i;
INSERT INTO invoice SELECT i, CASE WHEN i % 10 = 0 THEN {heavy} ELSE 2 + i * 7919::bigint % ({customers} - 1) END, '2020-01-01'::timestamptz + i % 1800 * interval '1 day',
  i || ' Long Street', 'City ' || i % 500, 'Country ' || i % 50, lpad((i % 99999)::text, 5, '0'), (i % 5000) / 100.0 FROM generate_series(1, {invoices}) i;
INSERT INTO invoice_line SELECT i::bigint * 4 + l, i, 1 + (i::bigint * 4 + l) % {products}, (i % 1250) / 100.0, 1 + l % 3 FROM generate_series(1, {invoices}) i, generate_series(0, 3) l;
ALTER TABLE customer ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX customer_email ON customer (lower(email));
ALTER TABLE invoice ADD PRIMARY KEY (id);
ALTER TABLE invoice_line ADD PRIMARY KEY (id);
CREATE INDEX invoice_customer ON invoice (customer_id);
CREATE INDEX line_invoice ON invoice_line (invoice_id);
CREATE INDEX line_product ON invoice_line (product_id);
ALTER TABLE invoice ADD CONSTRAINT invoice_customer FOREIGN KEY (customer_id) REFERENCES customer;
ALTER TABLE invoice_line ADD CONSTRAINT line_invoice FOREIGN KEY (invoice_id) REFERENCES invoice, ADD CONSTRAINT line_product FOREIGN KEY (product_id) REFERENCES product;
VACUUM ANALYZE;
CREATE TABLE bench_complete (done int);
CHECKPOINT;
`

const mysqlShop = `
CREATE TABLE customer (id bigint PRIMARY KEY, email varchar(190) NOT NULL, name varchar(190) NOT NULL, phone varchar(40), street varchar(190), city varchar(190), country varchar(60), created_at datetime NOT NULL, UNIQUE KEY (email)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE product (id int PRIMARY KEY, title varchar(190) NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE invoice (id bigint PRIMARY KEY, customer_id bigint NOT NULL, issued_at datetime NOT NULL, street varchar(190), city varchar(190), country varchar(60), postal_code varchar(20), total decimal(10,2) NOT NULL, KEY (customer_id), FOREIGN KEY (customer_id) REFERENCES customer (id)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE invoice_line (id bigint PRIMARY KEY, invoice_id bigint NOT NULL, product_id int NOT NULL, unit_price decimal(10,2) NOT NULL, quantity int NOT NULL, KEY (invoice_id), KEY (product_id), FOREIGN KEY (invoice_id) REFERENCES invoice (id), FOREIGN KEY (product_id) REFERENCES product (id)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
SET SESSION foreign_key_checks = 0;
SET SESSION unique_checks = 0;
INSERT INTO product SELECT seq, CONCAT('Product ', seq) FROM seq_1_to_{products};
INSERT INTO customer SELECT seq, IF(seq = {heavy}, '{heavy_email}', CONCAT('customer', seq, '@shop.example')), CONCAT('Person ', seq), CONCAT('+41 44 ', seq),
  CONCAT(seq, ' Long Street'), CONCAT('City ', seq % 500), CONCAT('Country ', seq % 50), '2019-01-01' + INTERVAL seq % 2000 DAY FROM seq_1_to_{customers};
INSERT INTO invoice SELECT seq, IF(seq % 10 = 0, {heavy}, 2 + seq * 7919 % ({customers} - 1)), '2020-01-01' + INTERVAL seq % 1800 DAY,
  CONCAT(seq, ' Long Street'), CONCAT('City ', seq % 500), CONCAT('Country ', seq % 50), LPAD(seq % 99999, 5, '0'), (seq % 5000) / 100 FROM seq_1_to_{invoices};
INSERT INTO invoice_line SELECT i.id * 4 + l.seq, i.id, 1 + (i.id * 4 + l.seq) % {products}, (i.id % 1250) / 100, 1 + l.seq % 3 FROM invoice i JOIN seq_0_to_3 l ORDER BY 1;
SET SESSION foreign_key_checks = 1;
ANALYZE TABLE customer, invoice, invoice_line, product;
CREATE TABLE bench_complete (done int);
`

const sqliteShop = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, phone TEXT, street TEXT, city TEXT, country TEXT, created_at TIMESTAMP NOT NULL);
CREATE TABLE product (id INTEGER PRIMARY KEY, title TEXT NOT NULL);
CREATE TABLE invoice (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer (id), issued_at TIMESTAMP NOT NULL, street TEXT, city TEXT, country TEXT, postal_code TEXT, total NUMERIC NOT NULL);
CREATE TABLE invoice_line (id INTEGER PRIMARY KEY, invoice_id INTEGER NOT NULL REFERENCES invoice (id), product_id INTEGER NOT NULL REFERENCES product (id), unit_price NUMERIC NOT NULL, quantity INTEGER NOT NULL);
PRAGMA foreign_keys = 0;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {products}) INSERT INTO product SELECT i, 'Product ' || i FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {customers})
  INSERT INTO customer SELECT i, CASE WHEN i = {heavy} THEN '{heavy_email}' ELSE 'customer' || i || '@shop.example' END, 'Person ' || i, '+41 44 ' || i,
  i || ' Long Street', 'City ' || i % 500, 'Country ' || i % 50, datetime('2019-01-01', (i % 2000) || ' days') FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {invoices})
  INSERT INTO invoice SELECT i, CASE WHEN i % 10 = 0 THEN {heavy} ELSE 2 + i * 7919 % ({customers} - 1) END, datetime('2020-01-01', (i % 1800) || ' days'),
  i || ' Long Street', 'City ' || i % 500, 'Country ' || i % 50, substr('0000' || i % 99999, -5), (i % 5000) / 100.0 FROM n;
WITH l(n) AS (VALUES (0), (1), (2), (3)) INSERT INTO invoice_line SELECT i.id * 4 + n, i.id, 1 + (i.id * 4 + n) % {products}, (i.id % 1250) / 100.0, 1 + n % 3 FROM invoice i, l;
CREATE INDEX invoice_customer ON invoice (customer_id);
CREATE INDEX line_invoice ON invoice_line (invoice_id);
CREATE INDEX line_product ON invoice_line (product_id);
ANALYZE;
CREATE TABLE bench_complete (done int);
PRAGMA wal_checkpoint(TRUNCATE);
`
