-- Trade software: keys of company and number, texts as keys, nothing declared.
-- engines: postgres mysql sqlite
-- subject: customer.mail_address
-- owns: sales_order>customer:company_id+customer_no sales_order_line>sales_order:company_id+order_no delivery_note>sales_order:company_id+order_no open_item>customer:company_id+customer_no contact_log>customer:company_id+customer_no
-- personal: customer.mail_address customer.name customer.street customer.zip_code customer.city customer.phone_no contact_log.remarks customer.vat_no
CREATE TABLE company (company_id varchar(4) PRIMARY KEY, label varchar(60));
CREATE TABLE customer (company_id varchar(4) NOT NULL, customer_no varchar(12) NOT NULL, name varchar(80), mail_address varchar(120), street varchar(80), zip_code varchar(10), city varchar(60), phone_no varchar(30), vat_no varchar(20), payment_term varchar(4), PRIMARY KEY (company_id, customer_no));
CREATE TABLE sales_order (company_id varchar(4) NOT NULL, order_no varchar(12) NOT NULL, customer_no varchar(12) NOT NULL, order_date date, PRIMARY KEY (company_id, order_no));
CREATE TABLE sales_order_line (company_id varchar(4) NOT NULL, order_no varchar(12) NOT NULL, line_no integer NOT NULL, article_no varchar(12), qty numeric(10,2), PRIMARY KEY (company_id, order_no, line_no));
CREATE TABLE delivery_note (company_id varchar(4) NOT NULL, delivery_no varchar(12) NOT NULL, order_no varchar(12) NOT NULL, shipped_on date, PRIMARY KEY (company_id, delivery_no));
CREATE TABLE open_item (company_id varchar(4) NOT NULL, document_no varchar(12) NOT NULL, customer_no varchar(12) NOT NULL, due_on date, amount numeric(10,2), PRIMARY KEY (company_id, document_no));
CREATE TABLE contact_log (log_no integer PRIMARY KEY, company_id varchar(4) NOT NULL, customer_no varchar(12) NOT NULL, remarks varchar(400));
CREATE TABLE article (company_id varchar(4) NOT NULL, article_no varchar(12) NOT NULL, label varchar(60), PRIMARY KEY (company_id, article_no));
CREATE TABLE payment_terms (payment_term varchar(4) PRIMARY KEY, days integer);
INSERT INTO company VALUES ('C1', 'North'), ('C2', 'South');
INSERT INTO customer (company_id, customer_no, name, mail_address) VALUES ('C1', 'K1', 'Ada', 'ada@example.org'), ('C2', 'K1', 'Bob', 'bob@example.org'), ('C1', 'K2', 'Cy', 'cy@example.org');
INSERT INTO sales_order VALUES ('C1', 'O1', 'K1', NULL), ('C2', 'O1', 'K1', NULL);
INSERT INTO sales_order_line VALUES ('C1', 'O1', 1, 'A1', 1), ('C2', 'O1', 1, 'A1', 2);
INSERT INTO delivery_note VALUES ('C1', 'D1', 'O1', NULL);
INSERT INTO open_item VALUES ('C1', 'R1', 'K1', NULL, 9), ('C1', 'R2', 'K2', NULL, 9);
INSERT INTO contact_log VALUES (1, 'C1', 'K1', 'called'), (2, 'C2', 'K1', 'called');
INSERT INTO article VALUES ('C1', 'A1', 'Nut'), ('C2', 'A1', 'Bolt');
