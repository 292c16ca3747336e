-- People at work: a manager is an employee, a department has a head and an employee a department: a ring.
-- engines: postgres mysql
-- subject: employees.work_email
-- owns: contracts>employees:employee_id payslips>employees:employee_id payslip_lines>payslips:payslip_id leave_requests>employees:employee_id reviews>employees:employee_id emergency_contacts>employees:employee_id homes^employees:home_address_id
-- personal: employees.work_email employees.given_name employees.surname employees.date_of_birth employees.national_id employees.iban contracts.salary emergency_contacts.full_name emergency_contacts.mobile homes.street homes.postcode homes.city reviews.remarks employees.sex
CREATE TABLE departments (id integer PRIMARY KEY, label varchar(60) NOT NULL, head_id integer);
CREATE TABLE homes (id integer PRIMARY KEY, street varchar(100), postcode varchar(12), city varchar(60));
CREATE TABLE employees (id integer PRIMARY KEY, work_email varchar(120) NOT NULL UNIQUE, given_name varchar(60) NOT NULL, surname varchar(60) NOT NULL, date_of_birth date, national_id varchar(20), iban varchar(34), sex varchar(1), manager_id integer REFERENCES employees (id), department_id integer NOT NULL REFERENCES departments (id), home_address_id integer REFERENCES homes (id));
ALTER TABLE departments ADD FOREIGN KEY (head_id) REFERENCES employees (id);
CREATE TABLE contracts (id integer PRIMARY KEY, employee_id integer NOT NULL REFERENCES employees (id), salary numeric(10,2), signed_on date);
CREATE TABLE payslips (id integer PRIMARY KEY, employee_id integer NOT NULL REFERENCES employees (id), paid_on date, net numeric(10,2));
CREATE TABLE payslip_lines (payslip_id integer NOT NULL REFERENCES payslips (id), line_no integer NOT NULL, amount numeric(10,2), PRIMARY KEY (payslip_id, line_no));
CREATE TABLE leave_requests (id integer PRIMARY KEY, employee_id integer NOT NULL REFERENCES employees (id), approved_by integer REFERENCES employees (id), from_day date);
CREATE TABLE reviews (id integer PRIMARY KEY, employee_id integer NOT NULL REFERENCES employees (id), reviewer_id integer NOT NULL REFERENCES employees (id), remarks text);
CREATE TABLE emergency_contacts (id integer PRIMARY KEY, employee_id integer NOT NULL REFERENCES employees (id), full_name varchar(80), mobile varchar(30));
CREATE TABLE public_holidays (day date PRIMARY KEY, label varchar(60));
