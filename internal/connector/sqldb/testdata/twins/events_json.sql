-- What happened, as JSON: the person stands within the payload.
-- engines: postgres mysql sqlite
-- subject: subscribers.email
-- owns: events~payload$.user.email page_views>subscribers:subscriber_id deliveries~to_address consents>subscribers:subscriber_id dead_letters~body$.email
-- personal: subscribers.email page_views.ip page_views.user_agent deliveries.to_address dead_letters.body-
CREATE TABLE subscribers (id integer PRIMARY KEY, email varchar(120) NOT NULL UNIQUE, opted_in boolean);
CREATE TABLE events (id integer PRIMARY KEY, at timestamp NULL, name varchar(40), payload json);
CREATE TABLE dead_letters (id integer PRIMARY KEY, topic varchar(40), body text);
CREATE TABLE page_views (id integer PRIMARY KEY, subscriber_id integer, ip varchar(45), user_agent varchar(200), path varchar(200));
CREATE TABLE deliveries (id integer PRIMARY KEY, to_address varchar(120), template_id integer, sent_at timestamp NULL);
CREATE TABLE templates (id integer PRIMARY KEY, subject_line varchar(200), html text);
CREATE TABLE consents (subscriber_id integer NOT NULL REFERENCES subscribers (id), purpose varchar(40) NOT NULL, given boolean, PRIMARY KEY (subscriber_id, purpose));
INSERT INTO subscribers VALUES (11, 'ada@example.org', TRUE), (12, 'bob@example.org', FALSE);
INSERT INTO events VALUES (1, NULL, 'click', '{"user": {"email": "ada@example.org"}, "n": 1}'), (2, NULL, 'open', '{"user": {"email": "bob@example.org"}}'), (3, NULL, 'tick', '{}');
INSERT INTO dead_letters VALUES (1, 'a', '{"email": "ada@example.org", "why": "x"}'), (2, 'a', '{"email": "zed@example.net"}'), (3, 'a', '{"email": "bob@example.org"}');
INSERT INTO page_views VALUES (1, 11, '10.0.0.1', 'x', '/'), (2, 12, '10.0.0.2', 'x', '/'), (3, NULL, '10.0.0.3', 'x', '/');
INSERT INTO deliveries VALUES (1, 'ada@example.org', 5, NULL), (2, 'bob@example.org', 6, NULL), (3, 'zed@example.net', 5, NULL);
INSERT INTO templates VALUES (5, 'Hello', '<p>'), (6, 'Bye', '<p>');
