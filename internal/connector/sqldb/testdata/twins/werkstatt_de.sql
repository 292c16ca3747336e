-- A German workshop.
-- engines: postgres mysql sqlite
-- subject: kunden.mail
-- owns: auftraege>kunden:kunden_nr auftragspositionen>auftraege:auftrag_nr rechnungen>auftraege:auftrag_nr fahrzeuge>kunden:kunden_nr anschriften>kunden:kunden_nr newsletter_empfaenger~mailadresse zeiterfassung>mitarbeiter:mitarbeiter_id
-- personal: kunden.mail kunden.nachname kunden.vorname kunden.telefon kunden.geburtsdatum kunden.passwort anschriften.strasse anschriften.plz anschriften.ort mitarbeiter.mail mitarbeiter.nachname mitarbeiter.gehalt fahrzeuge.kennzeichen auftraege.bemerkung newsletter_empfaenger.mailadresse
CREATE TABLE kunden (kunden_nr integer PRIMARY KEY, mail varchar(100), nachname varchar(60), vorname varchar(60), telefon varchar(30), geburtsdatum date, passwort varchar(100));
CREATE TABLE anschriften (id integer PRIMARY KEY, kunden_nr integer NOT NULL, strasse varchar(80), plz varchar(5), ort varchar(60));
CREATE TABLE mitarbeiter (id integer PRIMARY KEY, mail varchar(100), nachname varchar(60), gehalt numeric(10,2));
CREATE TABLE fahrzeuge (id integer PRIMARY KEY, kunden_nr integer NOT NULL, kennzeichen varchar(12), modell varchar(40));
CREATE TABLE auftraege (auftrag_nr integer PRIMARY KEY, kunden_nr integer NOT NULL, fahrzeug_id integer, erstellt_von integer, bemerkung varchar(500), auftragsdatum date);
CREATE TABLE auftragspositionen (auftrag_nr integer NOT NULL, pos integer NOT NULL, artikel_nr integer, menge integer, PRIMARY KEY (auftrag_nr, pos));
CREATE TABLE rechnungen (rechnungs_nr integer PRIMARY KEY, auftrag_nr integer NOT NULL, rechnungsdatum date, betrag numeric(10,2));
CREATE TABLE artikel (artikel_nr integer PRIMARY KEY, bezeichnung varchar(80));
CREATE TABLE zeiterfassung (id integer PRIMARY KEY, mitarbeiter_id integer NOT NULL, stunden integer);
CREATE TABLE newsletter_empfaenger (id integer PRIMARY KEY, mailadresse varchar(100));
INSERT INTO kunden (kunden_nr, mail, nachname) VALUES (7001, 'ada@example.org', 'L'), (7002, 'bob@example.org', 'M');
INSERT INTO mitarbeiter VALUES (1, 'x@werk.example', 'X', 1), (2, 'y@werk.example', 'Y', 2);
INSERT INTO fahrzeuge VALUES (31, 7001, 'B-X 1', 'a'), (32, 7002, 'B-Y 2', 'b');
INSERT INTO anschriften VALUES (1, 7001, 's', '10115', 'B'), (2, 7002, 's', '20095', 'H');
INSERT INTO auftraege VALUES (9001, 7001, 31, 1, NULL, NULL), (9002, 7002, 32, 2, NULL, NULL);
INSERT INTO auftragspositionen VALUES (9001, 1, 44, 1), (9002, 1, 45, 2);
INSERT INTO artikel VALUES (44, 'Nut'), (45, 'Bolt');
INSERT INTO rechnungen VALUES (1, 9001, NULL, 1), (2, 9002, NULL, 1);
INSERT INTO zeiterfassung VALUES (1, 1, 8), (2, 2, 8);
INSERT INTO newsletter_empfaenger VALUES (1, 'ada@example.org'), (2, 'zed@example.net');
