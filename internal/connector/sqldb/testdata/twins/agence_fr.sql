-- A French agency, some names with accents.
-- engines: postgres mysql sqlite
-- subject: adhérents.courriel
-- owns: cotisations>adhérents:adhérent_id réservations>adhérents:adhérent_id paiements>réservations:réservation_id adresses^adhérents:adresse_id
-- personal: adhérents.courriel adhérents.nom adhérents.prénom adhérents.téléphone adhérents.mot_de_passe adresses.rue adresses.code_postal adresses.ville réservations.commentaire
CREATE TABLE "adresses" (id integer PRIMARY KEY, rue varchar(80), code_postal varchar(8), ville varchar(60));
CREATE TABLE "adhérents" (id integer PRIMARY KEY, nom varchar(60), "prénom" varchar(60), courriel varchar(100), "téléphone" varchar(20), mot_de_passe varchar(100), adresse_id integer);
CREATE TABLE "cotisations" (id integer PRIMARY KEY, "adhérent_id" integer NOT NULL, montant numeric(8,2));
CREATE TABLE "réservations" (id integer PRIMARY KEY, "adhérent_id" integer NOT NULL, commentaire text, date date);
CREATE TABLE "paiements" (id integer PRIMARY KEY, "réservation_id" integer NOT NULL, montant numeric(8,2), date date);
INSERT INTO "adresses" VALUES (1, 'r', '75001', 'P'), (2, 'r', '69001', 'L');
INSERT INTO "adhérents" (id, nom, courriel, adresse_id) VALUES (41, 'L', 'ada@example.org', 1), (42, 'M', 'bob@example.org', 2);
INSERT INTO "cotisations" VALUES (1, 41, 9), (2, 42, 9);
INSERT INTO "réservations" VALUES (81, 41, 'x', NULL), (82, 42, 'y', NULL);
INSERT INTO "paiements" VALUES (1, 81, 9, NULL), (2, 82, 9, NULL);
