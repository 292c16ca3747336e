-- An old desktop database: tblNames, CustID, no keys declared.
-- engines: postgres mysql sqlite
-- subject: tblCustomer.EMail
-- owns: tblOrder>tblCustomer:CustID tblOrderDetail>tblOrder:OrdID tblCall>tblCustomer:CustID tblNewsletter~EMailAddr tblComplaint>tblCustomer:CustID
-- personal: tblCustomer.EMail tblCustomer.LName tblCustomer.FName tblCustomer.Addr1 tblCustomer.PostCode tblCustomer.Town tblCustomer.TelNo tblNewsletter.EMailAddr tblCall.Remarks tblStaff.EMail tblStaff.LastName
CREATE TABLE "tblCustomer" ("CustID" integer PRIMARY KEY, "LName" varchar(40), "FName" varchar(40), "Addr1" varchar(60), "PostCode" varchar(10), "Town" varchar(40), "TelNo" varchar(30), "EMail" varchar(80));
CREATE TABLE "tblStaff" ("StaffID" integer PRIMARY KEY, "LastName" varchar(40), "EMail" varchar(80));
CREATE TABLE "tblOrder" ("OrdID" integer PRIMARY KEY, "CustID" integer, "StaffID" integer, "OrdDate" date);
CREATE TABLE "tblOrderDetail" ("OrdID" integer, "ProdID" integer, "Qty" integer, PRIMARY KEY ("OrdID", "ProdID"));
CREATE TABLE "tblProduct" ("ProdID" integer PRIMARY KEY, "Descr" varchar(60));
CREATE TABLE "tblCall" ("CallID" integer PRIMARY KEY, "CustID" integer, "TakenBy" integer, "Remarks" varchar(200));
CREATE TABLE "tblComplaint" ("ComplaintNo" integer PRIMARY KEY, "CustID" integer, "Closed" smallint);
CREATE TABLE "tblNewsletter" ("EMailAddr" varchar(80) PRIMARY KEY, "Since" date);
INSERT INTO "tblCustomer" ("CustID", "LName", "EMail") VALUES (1001, 'L', 'ada@example.org'), (1002, 'M', 'bob@example.org'), (1003, 'N', 'cy@example.org');
INSERT INTO "tblStaff" VALUES (1, 'S', 's@firm.example'), (2, 'T', 't@firm.example');
INSERT INTO "tblOrder" VALUES (50, 1001, 1, NULL), (51, 1002, 2, NULL), (52, 1003, 1, NULL);
INSERT INTO "tblOrderDetail" VALUES (50, 7, 1), (51, 8, 1);
INSERT INTO "tblProduct" VALUES (7, 'Nut'), (8, 'Bolt');
INSERT INTO "tblCall" VALUES (1, 1001, 1, 'asked'), (2, 1003, 2, 'asked');
INSERT INTO "tblComplaint" VALUES (1, 1002, 0);
INSERT INTO "tblNewsletter" VALUES ('ada@example.org', NULL), ('zed@example.net', NULL);
