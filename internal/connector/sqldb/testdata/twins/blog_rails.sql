-- A Rails blog: no foreign keys, polymorphic comments and attachments, a join table without a model.
-- engines: postgres mysql sqlite
-- subject: members.email
-- owns: articles>members:author_id remarks>members:member_id uploads>members:attachable_id?attachable_type=Member uploads>articles:attachable_id?attachable_type=Article
-- owns: articles_tags>articles:article_id access_keys>members:member_id bookmarks>members:member_id blobs^uploads:blob_id
-- personal: members.email members.screen_name members.encrypted_password members.reset_password_token members.last_ip articles.body remarks.body access_keys.token blobs.storage_key-
CREATE TABLE members (id bigint PRIMARY KEY, email varchar(120) NOT NULL UNIQUE, screen_name varchar(60), encrypted_password varchar(80), reset_password_token varchar(80), last_ip varchar(45), type varchar(20), created_at timestamp NULL, deleted_at timestamp NULL);
CREATE TABLE articles (id bigint PRIMARY KEY, author_id bigint NOT NULL, headline varchar(200), body text, slug varchar(80), cover_id bigint);
CREATE TABLE remarks (id bigint PRIMARY KEY, member_id bigint NOT NULL, remarkable_type varchar(40), remarkable_id bigint, parent_id bigint, body text);
CREATE TABLE uploads (id bigint PRIMARY KEY, attachable_type varchar(40), attachable_id bigint, blob_id bigint NOT NULL, label varchar(40));
CREATE TABLE blobs (id bigint PRIMARY KEY, storage_key varchar(80) NOT NULL, bytes bigint);
CREATE TABLE tags (id bigint PRIMARY KEY, word varchar(40));
CREATE TABLE articles_tags (article_id bigint NOT NULL, tag_id bigint NOT NULL);
CREATE TABLE access_keys (id bigint PRIMARY KEY, member_id bigint NOT NULL, token varchar(80));
CREATE TABLE bookmarks (member_id bigint NOT NULL, article_id bigint NOT NULL, PRIMARY KEY (member_id, article_id));
CREATE TABLE schema_migrations (version varchar(40) PRIMARY KEY);
INSERT INTO members (id, email, screen_name, type) VALUES (11, 'ada@example.org', 'ada', 'Editor'), (12, 'bob@example.org', 'bob', NULL), (13, 'cy@example.org', 'cy', NULL), (14, 'di@example.org', 'di', NULL);
INSERT INTO articles (id, author_id, headline, body) VALUES (21, 11, 'One', 'text'), (22, 12, 'Two', 'text'), (23, 13, 'Three', 'text');
INSERT INTO remarks (id, member_id, remarkable_type, remarkable_id, body) VALUES (31, 12, 'Article', 21, 'fine'), (32, 11, 'Article', 22, 'fine'), (33, 14, 'Remark', 31, 'so');
INSERT INTO blobs VALUES (51, 'k/1', 10), (52, 'k/2', 20), (53, 'k/3', 20);
INSERT INTO uploads VALUES (41, 'Member', 11, 51, 'portrait'), (42, 'Article', 22, 52, 'figure'), (43, 'Member', 12, 53, 'portrait');
INSERT INTO tags VALUES (61, 'go'), (62, 'sql');
INSERT INTO articles_tags VALUES (21, 61), (22, 62);
INSERT INTO access_keys VALUES (71, 11, 'a1'), (72, 12, 'b2');
INSERT INTO bookmarks VALUES (12, 21), (11, 23);
