-- A clinic: patients and doctors are two kinds of people; nobody follows the doctor's key to other patients.
-- engines: postgres mysql sqlite
-- subject: patient.email
-- owns: appointment>patient:patient_id diagnosis>appointment:appointment_id prescription>patient:patient_id lab_result>patient:patient_id duty_roster>doctor:doctor_id insurance_card>patient:patient_id address^patient:address_id
-- personal: patient.email patient.family_name patient.first_name patient.birth_date patient.phone patient.blood_type doctor.email doctor.last_name diagnosis.remarks insurance_card.insurance_no address.street address.zip address.city insurance_card.card_no-
CREATE TABLE address (address_id integer PRIMARY KEY, street varchar(80), zip varchar(10), city varchar(60));
CREATE TABLE patient (patient_id integer PRIMARY KEY, email varchar(100), family_name varchar(60), first_name varchar(60), birth_date date, phone varchar(30), blood_type varchar(3), address_id integer REFERENCES address (address_id), family_doctor_id integer);
CREATE TABLE doctor (doctor_id integer PRIMARY KEY, email varchar(100), last_name varchar(60), specialty varchar(40));
CREATE TABLE ward (ward_id integer PRIMARY KEY, label varchar(40), chief_doctor_id integer REFERENCES doctor (doctor_id));
CREATE TABLE appointment (appointment_id integer PRIMARY KEY, patient_id integer NOT NULL REFERENCES patient (patient_id), doctor_id integer NOT NULL REFERENCES doctor (doctor_id), ward_id integer REFERENCES ward (ward_id), at timestamp NULL);
CREATE TABLE diagnosis (diagnosis_id integer PRIMARY KEY, appointment_id integer NOT NULL REFERENCES appointment (appointment_id), icd_code varchar(10), remarks text);
CREATE TABLE prescription (prescription_id integer PRIMARY KEY, patient_id integer NOT NULL REFERENCES patient (patient_id), prescribed_by integer NOT NULL REFERENCES doctor (doctor_id), drug_id integer);
CREATE TABLE drug (drug_id integer PRIMARY KEY, name varchar(60));
CREATE TABLE lab_result (lab_result_id integer PRIMARY KEY, patient_id integer NOT NULL, analyte varchar(30), amount numeric(8,2));
CREATE TABLE insurance_card (card_no varchar(20) PRIMARY KEY, patient_id integer NOT NULL REFERENCES patient (patient_id), insurance_no varchar(20));
CREATE TABLE duty_roster (doctor_id integer NOT NULL REFERENCES doctor (doctor_id), day date NOT NULL, PRIMARY KEY (doctor_id, day));
INSERT INTO address VALUES (1, 'A', '1', 'X'), (2, 'B', '2', 'Y');
INSERT INTO patient VALUES (10, 'ada@example.org', 'L', 'Ada', NULL, NULL, NULL, 1, 501), (11, 'bob@example.org', 'M', 'Bob', NULL, NULL, NULL, 2, 502);
INSERT INTO doctor VALUES (501, 'd1@clinic.example', 'One', 'x'), (502, 'd2@clinic.example', 'Two', 'y');
INSERT INTO lab_result VALUES (1, 10, 'Na', 1), (2, 11, 'K', 2);
