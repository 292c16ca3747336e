-- The shop's tables, parents first. What has no FOREIGN KEY on purpose says so.

CREATE TABLE country (
  code TEXT PRIMARY KEY,
  name TEXT NOT NULL
);

CREATE TABLE category (
  category_id INTEGER PRIMARY KEY,
  name        TEXT NOT NULL UNIQUE
);

CREATE TABLE product (
  product_id  INTEGER PRIMARY KEY,
  category_id INTEGER NOT NULL REFERENCES category (category_id),
  sku         TEXT NOT NULL UNIQUE,
  name        TEXT NOT NULL,
  price_cents INTEGER NOT NULL CHECK (price_cents > 0)
);

CREATE TABLE staff (
  staff_id  INTEGER PRIMARY KEY,
  full_name TEXT NOT NULL,
  email     TEXT NOT NULL UNIQUE,
  team      TEXT NOT NULL
);

CREATE TABLE address (
  address_id   INTEGER PRIMARY KEY,
  street       TEXT NOT NULL,
  city         TEXT NOT NULL,
  postcode     TEXT NOT NULL,
  country_code TEXT NOT NULL REFERENCES country (code),
  door_note    TEXT
);

CREATE TABLE customer (
  customer_id   INTEGER PRIMARY KEY,
  email         TEXT NOT NULL UNIQUE,
  full_name     TEXT NOT NULL,
  phone         TEXT,
  birth_date    DATE,
  address_id    INTEGER REFERENCES address (address_id),
  language      TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  preferences   JSON NOT NULL CHECK (json_valid(preferences)),
  advisor_id    INTEGER REFERENCES staff (staff_id),
  created_at    DATETIME NOT NULL,
  closed_at     DATETIME
);
CREATE INDEX customer_address ON customer (address_id);

CREATE TABLE household (
  household_id INTEGER PRIMARY KEY,
  name         TEXT NOT NULL,
  created_at   DATETIME NOT NULL
);

CREATE TABLE household_member (
  household_id INTEGER NOT NULL REFERENCES household (household_id),
  customer_id  INTEGER NOT NULL REFERENCES customer (customer_id),
  role         TEXT NOT NULL CHECK (role IN ('owner', 'member')),
  joined_at    DATETIME NOT NULL,
  PRIMARY KEY (household_id, customer_id)
);
CREATE INDEX household_member_customer ON household_member (customer_id);

CREATE TABLE subscription (
  subscription_id INTEGER PRIMARY KEY,
  customer_id     INTEGER NOT NULL REFERENCES customer (customer_id),
  product_id      INTEGER NOT NULL REFERENCES product (product_id),
  every_weeks     INTEGER NOT NULL,
  grind           TEXT NOT NULL,
  started_on      DATE NOT NULL,
  ended_on        DATE
);
CREATE INDEX subscription_customer ON subscription (customer_id);

CREATE TABLE payment_method (
  payment_method_id INTEGER PRIMARY KEY,
  customer_id       INTEGER NOT NULL REFERENCES customer (customer_id),
  brand             TEXT NOT NULL,
  last4             TEXT NOT NULL CHECK (length(last4) = 4),
  expires           TEXT NOT NULL,
  processor_token   TEXT NOT NULL UNIQUE
);
CREATE INDEX payment_method_customer ON payment_method (customer_id);

CREATE TABLE orders (
  order_id            INTEGER PRIMARY KEY,
  order_number        TEXT NOT NULL UNIQUE,
  customer_id         INTEGER NOT NULL REFERENCES customer (customer_id),
  shipping_address_id INTEGER NOT NULL REFERENCES address (address_id),
  placed_at           DATETIME NOT NULL,
  status              TEXT NOT NULL,
  gift_note           TEXT
);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_shipping ON orders (shipping_address_id);

CREATE TABLE order_line (
  order_id         INTEGER NOT NULL REFERENCES orders (order_id),
  line_no          INTEGER NOT NULL,
  product_id       INTEGER NOT NULL REFERENCES product (product_id),
  quantity         INTEGER NOT NULL CHECK (quantity > 0),
  unit_price_cents INTEGER NOT NULL,
  PRIMARY KEY (order_id, line_no)
);

-- An invoice stands on its own: it quotes the order's number and copies the address, and points at neither.
CREATE TABLE invoice (
  invoice_id      INTEGER PRIMARY KEY,
  number          TEXT NOT NULL UNIQUE,
  customer_id     INTEGER NOT NULL REFERENCES customer (customer_id),
  order_number    TEXT NOT NULL,
  issued_on       DATE NOT NULL,
  net_cents       INTEGER NOT NULL,
  tax_cents       INTEGER NOT NULL,
  total_cents     INTEGER NOT NULL CHECK (total_cents = net_cents + tax_cents),
  currency        TEXT NOT NULL,
  billing_name    TEXT NOT NULL,
  billing_street  TEXT NOT NULL,
  billing_city    TEXT NOT NULL,
  billing_country TEXT NOT NULL REFERENCES country (code),
  billing_email   TEXT,
  billing_phone   TEXT
);
CREATE INDEX invoice_customer ON invoice (customer_id);

CREATE TABLE invoice_line (
  invoice_line_id  INTEGER PRIMARY KEY,
  invoice_id       INTEGER NOT NULL REFERENCES invoice (invoice_id),
  product_id       INTEGER NOT NULL REFERENCES product (product_id),
  description      TEXT NOT NULL,
  quantity         INTEGER NOT NULL,
  unit_price_cents INTEGER NOT NULL
);
CREATE INDEX invoice_line_invoice ON invoice_line (invoice_id);

CREATE TABLE message (
  message_id   INTEGER PRIMARY KEY,
  sender_id    INTEGER REFERENCES customer (customer_id),
  recipient_id INTEGER REFERENCES customer (customer_id),
  handled_by   INTEGER REFERENCES staff (staff_id),
  body         TEXT NOT NULL,
  sent_at      DATETIME NOT NULL,
  read_at      DATETIME
);
CREATE INDEX message_sender ON message (sender_id);
CREATE INDEX message_recipient ON message (recipient_id);

CREATE TABLE support_ticket (
  ticket_id   INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customer (customer_id),
  assigned_to INTEGER REFERENCES staff (staff_id),
  subject     TEXT NOT NULL,
  status      TEXT NOT NULL,
  opened_at   DATETIME NOT NULL
);
CREATE INDEX support_ticket_customer ON support_ticket (customer_id);

CREATE TABLE ticket_reply (
  reply_id   INTEGER PRIMARY KEY,
  ticket_id  INTEGER NOT NULL REFERENCES support_ticket (ticket_id),
  written_by INTEGER REFERENCES staff (staff_id), -- NULL: the customer
  body       TEXT NOT NULL,
  written_at DATETIME NOT NULL
);
CREATE INDEX ticket_reply_ticket ON ticket_reply (ticket_id);

CREATE TABLE upload (
  upload_id    INTEGER PRIMARY KEY,
  customer_id  INTEGER NOT NULL REFERENCES customer (customer_id),
  file_name    TEXT NOT NULL,
  content_type TEXT NOT NULL,
  bytes        INTEGER NOT NULL,
  storage_key  TEXT NOT NULL UNIQUE,
  uploaded_at  DATETIME NOT NULL
);
CREATE INDEX upload_customer ON upload (customer_id);

CREATE TABLE wishlist (
  wishlist_id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customer (customer_id),
  title       TEXT NOT NULL
);
CREATE INDEX wishlist_customer ON wishlist (customer_id);

CREATE TABLE wishlist_item (
  wishlist_id INTEGER NOT NULL REFERENCES wishlist (wishlist_id),
  product_id  INTEGER NOT NULL REFERENCES product (product_id),
  note        TEXT,
  PRIMARY KEY (wishlist_id, product_id)
);

CREATE TABLE product_review (
  review_id    INTEGER PRIMARY KEY,
  product_id   INTEGER NOT NULL REFERENCES product (product_id),
  customer_id  INTEGER NOT NULL REFERENCES customer (customer_id),
  display_name TEXT NOT NULL,
  rating       INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 5),
  body         TEXT NOT NULL,
  published_at DATETIME NOT NULL
);
CREATE INDEX product_review_customer ON product_review (customer_id);

-- Made by the log-in service, which declares no keys.
CREATE TABLE session (
  session_id   TEXT PRIMARY KEY,
  customer_id  INTEGER NOT NULL,
  token_hash   TEXT NOT NULL,
  ip_address   TEXT NOT NULL,
  user_agent   TEXT NOT NULL,
  started_at   DATETIME NOT NULL,
  last_seen_at DATETIME NOT NULL
);
CREATE INDEX session_customer ON session (customer_id);

-- Written in bulk by the analytics pipeline, which declares no keys. NULL: a visitor who was not signed in.
CREATE TABLE event (
  event_id    INTEGER PRIMARY KEY,
  customer_id INTEGER,
  kind        TEXT NOT NULL,
  payload     JSON NOT NULL CHECK (json_valid(payload)),
  happened_at DATETIME NOT NULL
);
CREATE INDEX event_customer ON event (customer_id);

-- Filled from the sign-up box, before and without an account.
CREATE TABLE newsletter_entry (
  entry_id      INTEGER PRIMARY KEY,
  email         TEXT NOT NULL,
  source        TEXT NOT NULL,
  confirmed     INTEGER NOT NULL,
  subscribed_at DATETIME NOT NULL
);
CREATE INDEX newsletter_entry_email ON newsletter_entry (email);
