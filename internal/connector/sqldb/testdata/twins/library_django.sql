-- Django's own tables beside an application's: content types, groups, an admin log, e-mail addresses of their own.
-- engines: postgres mysql sqlite
-- subject: auth_user.email
-- owns: auth_user_groups>auth_user:user_id lending_loan>auth_user:borrower_id lending_fine>lending_loan:loan_id account_emailaddress>auth_user:user_id
-- owns: django_admin_log>auth_user:user_id notes_sticker>auth_user:object_id?content_type_id=4 notes_sticker>lending_loan:object_id?content_type_id=9 people_profile>auth_user:user_id authtoken_token>auth_user:user_id
-- personal: auth_user.email auth_user.username auth_user.first_name auth_user.last_name auth_user.password account_emailaddress.email people_profile.bio people_profile.birth_date people_profile.phone notes_sticker.note authtoken_token.secret_value
CREATE TABLE auth_user (id integer PRIMARY KEY, password varchar(128) NOT NULL, last_login timestamp NULL, is_superuser boolean NOT NULL, username varchar(150) NOT NULL UNIQUE, first_name varchar(150) NOT NULL, last_name varchar(150) NOT NULL, email varchar(254) NOT NULL, is_active boolean NOT NULL, date_joined timestamp NULL);
CREATE TABLE auth_group (id integer PRIMARY KEY, name varchar(150) NOT NULL UNIQUE);
CREATE TABLE auth_user_groups (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES auth_user (id), group_id integer NOT NULL REFERENCES auth_group (id));
CREATE TABLE django_content_type (id integer PRIMARY KEY, app_label varchar(100) NOT NULL, model varchar(100) NOT NULL);
CREATE TABLE django_admin_log (id integer PRIMARY KEY, action_time timestamp NULL, object_id varchar(200), object_repr varchar(200) NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id), content_type_id integer REFERENCES django_content_type (id));
CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, session_data text NOT NULL, expire_date timestamp NULL);
CREATE TABLE account_emailaddress (id integer PRIMARY KEY, email varchar(254) NOT NULL UNIQUE, verified boolean NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id));
CREATE TABLE authtoken_token (secret_value varchar(40) PRIMARY KEY, user_id integer NOT NULL UNIQUE REFERENCES auth_user (id));
CREATE TABLE people_profile (user_id integer PRIMARY KEY REFERENCES auth_user (id), bio text NOT NULL, birth_date date, phone varchar(30));
CREATE TABLE catalog_book (id integer PRIMARY KEY, title varchar(200) NOT NULL, isbn varchar(13));
CREATE TABLE lending_loan (id integer PRIMARY KEY, borrower_id integer NOT NULL REFERENCES auth_user (id), book_id integer NOT NULL REFERENCES catalog_book (id), due_on date);
CREATE TABLE lending_fine (id integer PRIMARY KEY, loan_id integer NOT NULL REFERENCES lending_loan (id), cents integer NOT NULL);
CREATE TABLE notes_sticker (id integer PRIMARY KEY, content_type_id integer NOT NULL REFERENCES django_content_type (id), object_id integer NOT NULL, note text NOT NULL);
INSERT INTO auth_user VALUES (1, 'x', NULL, FALSE, 'ada', 'Ada', 'L', 'ada@example.org', TRUE, NULL), (2, 'x', NULL, FALSE, 'bob', 'Bob', 'M', 'bob@example.org', TRUE, NULL);
INSERT INTO auth_group VALUES (1, 'readers');
INSERT INTO auth_user_groups VALUES (1, 1, 1), (2, 2, 1);
INSERT INTO django_content_type VALUES (4, 'auth', 'user'), (9, 'lending', 'loan'), (10, 'catalog', 'book');
INSERT INTO catalog_book VALUES (1, 'Tome', '1'), (2, 'Tract', '2');
INSERT INTO lending_loan VALUES (5, 1, 1, NULL), (6, 2, 2, NULL);
INSERT INTO lending_fine VALUES (1, 5, 100);
INSERT INTO notes_sticker VALUES (1, 4, 1, 'kind'), (2, 9, 5, 'late'), (3, 10, 1, 'torn');
INSERT INTO account_emailaddress VALUES (1, 'ada@example.org', TRUE, 1), (2, 'bob2@example.org', TRUE, 2);
