-- A forum: letters between two people, votes, people who follow people.
-- engines: postgres mysql sqlite
-- subject: people.email
-- owns: threads>people:started_by replies>people:person_id letters>people:sender_id ballots>people:voter_id follows>people:follower_id blocks>people:person_id warnings>people:person_id
-- about: letters>people:recipient_id follows>people:followed_id blocks>people:blocked_id
-- personal: people.email people.nickname people.avatar_path- replies.body letters.body people.password_digest people.totp_secret people.signature warnings.moderator_note
CREATE TABLE people (id integer PRIMARY KEY, email varchar(100) NOT NULL UNIQUE, nickname varchar(40) NOT NULL, password_digest varchar(100), totp_secret varchar(40), signature varchar(200), avatar_path varchar(200));
CREATE TABLE boards (id integer PRIMARY KEY, title varchar(80));
CREATE TABLE threads (id integer PRIMARY KEY, board_id integer NOT NULL REFERENCES boards (id), started_by integer NOT NULL REFERENCES people (id), title varchar(80));
CREATE TABLE replies (id integer PRIMARY KEY, thread_id integer NOT NULL REFERENCES threads (id), person_id integer NOT NULL REFERENCES people (id), reply_to integer REFERENCES replies (id), body text);
CREATE TABLE letters (id integer PRIMARY KEY, sender_id integer NOT NULL REFERENCES people (id), recipient_id integer NOT NULL REFERENCES people (id), body text);
CREATE TABLE ballots (reply_id integer NOT NULL REFERENCES replies (id), voter_id integer NOT NULL REFERENCES people (id), up boolean, PRIMARY KEY (reply_id, voter_id));
CREATE TABLE follows (follower_id integer NOT NULL REFERENCES people (id), followed_id integer NOT NULL REFERENCES people (id), PRIMARY KEY (follower_id, followed_id));
CREATE TABLE blocks (id integer PRIMARY KEY, person_id integer NOT NULL REFERENCES people (id), blocked_id integer NOT NULL REFERENCES people (id));
CREATE TABLE warnings (id integer PRIMARY KEY, person_id integer NOT NULL REFERENCES people (id), moderator_id integer NOT NULL REFERENCES people (id), moderator_note text);
