-- A publishing system after the manner of WordPress: one prefix, key/value tables, comments of people without an account.
-- engines: postgres mysql sqlite
-- subject: np_users.user_email
-- owns: np_usermeta>np_users:user_id np_posts>np_users:post_author np_postmeta>np_posts:post_id np_comments>np_users:user_id np_comments~comment_author_email np_commentmeta>np_comments:comment_id np_mailing~addr
-- personal: np_users.user_email np_users.user_login np_users.user_pass np_users.display_name np_comments.comment_author_email np_comments.comment_author_ip np_comments.comment_content np_mailing.addr np_posts.post_content np_comments.comment_author-
CREATE TABLE np_users (ID bigint PRIMARY KEY, user_login varchar(60) NOT NULL, user_pass varchar(255) NOT NULL, user_email varchar(100) NOT NULL, display_name varchar(250) NOT NULL);
CREATE TABLE np_usermeta (umeta_id bigint PRIMARY KEY, user_id bigint NOT NULL, meta_key varchar(255), meta_value text);
CREATE TABLE np_posts (ID bigint PRIMARY KEY, post_author bigint NOT NULL, post_title text NOT NULL, post_content text NOT NULL, post_parent bigint NOT NULL);
CREATE TABLE np_postmeta (meta_id bigint PRIMARY KEY, post_id bigint NOT NULL, meta_key varchar(255), meta_value text);
CREATE TABLE np_comments (comment_ID bigint PRIMARY KEY, comment_post_ID bigint NOT NULL, comment_author varchar(200) NOT NULL, comment_author_email varchar(100) NOT NULL, comment_author_ip varchar(100) NOT NULL, comment_content text NOT NULL, comment_parent bigint NOT NULL, user_id bigint NOT NULL);
CREATE TABLE np_commentmeta (meta_id bigint PRIMARY KEY, comment_id bigint NOT NULL, meta_key varchar(255), meta_value text);
CREATE TABLE np_terms (term_id bigint PRIMARY KEY, name varchar(200) NOT NULL, slug varchar(200) NOT NULL);
CREATE TABLE np_options (option_id bigint PRIMARY KEY, option_name varchar(191) NOT NULL, option_value text NOT NULL);
CREATE TABLE np_mailing (row_no bigint PRIMARY KEY, addr varchar(200) NOT NULL, wants_digest integer);
INSERT INTO np_users VALUES (101, 'ada', 'x', 'ada@example.org', 'Ada'), (102, 'bob', 'x', 'bob@example.org', 'Bob'), (103, 'cy', 'x', 'cy@example.org', 'Cy');
INSERT INTO np_usermeta VALUES (1, 101, 'nick', 'a'), (2, 102, 'nick', 'b'), (3, 103, 'nick', 'c');
INSERT INTO np_posts VALUES (201, 101, 'One', 'text', 0), (202, 102, 'Two', 'text', 201);
INSERT INTO np_postmeta VALUES (1, 201, 'a', 'b'), (2, 202, 'a', 'b');
INSERT INTO np_comments VALUES (301, 201, 'Bob', 'bob@example.org', '10.0.0.1', 'so', 0, 102), (302, 201, 'Guest', 'guest@example.net', '10.0.0.2', 'so', 301, 0), (303, 202, 'Ada', 'ada@example.org', '10.0.0.3', 'so', 0, 0);
INSERT INTO np_commentmeta VALUES (1, 301, 'a', 'b'), (2, 303, 'a', 'b');
INSERT INTO np_mailing VALUES (1, 'ada@example.org', 1), (2, 'zed@example.net', 1), (3, 'cy@example.org', 0);
INSERT INTO np_terms VALUES (1, 'News', 'news');
