-- A school: pupils with guardians, teachers who lead courses, marks through enrolments.
-- engines: postgres mysql sqlite
-- subject: students.email
-- owns: enrolments>students:student_id marks>enrolments:enrolment_id absences>students:student_id student_guardians>students:student_id submissions>students:student_id guardians_phone>guardians:guardian_id
-- about: student_guardians>guardians:guardian_id
-- personal: students.email students.first_name students.last_name students.dob guardians.email guardians.full_name teachers.email teachers.name marks.teacher_comment submissions.file_path- guardians_phone.phone absences.notes
CREATE TABLE students (id integer PRIMARY KEY, email varchar(100) UNIQUE, first_name varchar(50), last_name varchar(50), dob date, class_id integer);
CREATE TABLE classes (id integer PRIMARY KEY, label varchar(20), teacher_id integer);
CREATE TABLE teachers (id integer PRIMARY KEY, email varchar(100), name varchar(80));
CREATE TABLE guardians (id integer PRIMARY KEY, email varchar(100), full_name varchar(80));
CREATE TABLE guardians_phone (guardian_id integer NOT NULL REFERENCES guardians (id), phone varchar(30) NOT NULL, PRIMARY KEY (guardian_id, phone));
CREATE TABLE student_guardians (student_id integer NOT NULL REFERENCES students (id), guardian_id integer NOT NULL REFERENCES guardians (id), PRIMARY KEY (student_id, guardian_id));
CREATE TABLE courses (id integer PRIMARY KEY, title varchar(60), teacher_id integer NOT NULL REFERENCES teachers (id));
CREATE TABLE enrolments (id integer PRIMARY KEY, student_id integer NOT NULL REFERENCES students (id), course_id integer NOT NULL REFERENCES courses (id));
CREATE TABLE marks (id integer PRIMARY KEY, enrolment_id integer NOT NULL REFERENCES enrolments (id), value integer, teacher_comment varchar(400));
CREATE TABLE absences (id integer PRIMARY KEY, student_id integer NOT NULL REFERENCES students (id), reported_by integer REFERENCES teachers (id), notes text);
CREATE TABLE submissions (id integer PRIMARY KEY, student_id integer NOT NULL REFERENCES students (id), course_id integer NOT NULL REFERENCES courses (id), file_path varchar(200));
INSERT INTO students VALUES (1, 'ada@example.org', 'Ada', 'L', NULL, 71), (2, 'bob@example.org', 'Bob', 'M', NULL, 72);
INSERT INTO classes VALUES (71, '5a', 901), (72, '5b', 902);
INSERT INTO teachers VALUES (901, 't1@school.example', 'One'), (902, 't2@school.example', 'Two');
INSERT INTO guardians VALUES (301, 'g1@example.net', 'G One'), (302, 'g2@example.net', 'G Two');
