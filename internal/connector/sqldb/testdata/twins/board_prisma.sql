-- Names in camel case between quotes, as Prisma writes them; one table for several kinds of content.
-- engines: postgres mysql sqlite
-- subject: User.email
-- owns: Account>User:userId Session>User:userId Post>User:authorId Comment>User:authorId Like>User:userId Profile>User:userId Message>User:fromUserId VerificationToken~identifier
-- about: Message>User:toUserId
-- personal: User.email User.name User.emailVerified- User.image- Account.access_token Account.refresh_token Session.sessionToken Profile.bio Message.body VerificationToken.identifier VerificationToken.token Comment.text- Profile.phoneNumber
CREATE TABLE "User" ("id" varchar(30) PRIMARY KEY, "name" varchar(60), "email" varchar(120) NOT NULL UNIQUE, "emailVerified" timestamp NULL, "image" varchar(200));
CREATE TABLE "Account" ("id" varchar(30) PRIMARY KEY, "userId" varchar(30) NOT NULL REFERENCES "User" ("id"), "provider" varchar(30), "access_token" varchar(400), "refresh_token" varchar(400));
CREATE TABLE "Session" ("id" varchar(30) PRIMARY KEY, "sessionToken" varchar(80) NOT NULL, "userId" varchar(30) NOT NULL REFERENCES "User" ("id"));
CREATE TABLE "Profile" ("id" varchar(30) PRIMARY KEY, "userId" varchar(30) NOT NULL UNIQUE, "bio" varchar(400), "phoneNumber" varchar(30));
CREATE TABLE "Post" ("id" varchar(30) PRIMARY KEY, "authorId" varchar(30) NOT NULL, "kind" varchar(12) NOT NULL, "title" varchar(80));
CREATE TABLE "Comment" ("id" varchar(30) PRIMARY KEY, "postId" varchar(30) NOT NULL, "authorId" varchar(30) NOT NULL, "text" varchar(400));
CREATE TABLE "Like" ("userId" varchar(30) NOT NULL, "postId" varchar(30) NOT NULL, PRIMARY KEY ("userId", "postId"));
CREATE TABLE "Message" ("id" varchar(30) PRIMARY KEY, "fromUserId" varchar(30) NOT NULL, "toUserId" varchar(30) NOT NULL, "body" varchar(2000));
CREATE TABLE "VerificationToken" ("identifier" varchar(120) NOT NULL, "token" varchar(80) NOT NULL, PRIMARY KEY ("identifier", "token"));
CREATE TABLE "_prisma_migrations" ("id" varchar(36) PRIMARY KEY, "migration_name" varchar(80));
INSERT INTO "User" ("id", "name", "email") VALUES ('u_ada', 'Ada', 'ada@example.org'), ('u_bob', 'Bob', 'bob@example.org'), ('u_cy', 'Cy', 'cy@example.org');
INSERT INTO "Post" VALUES ('p_1', 'u_ada', 'note', 'One'), ('p_2', 'u_bob', 'link', 'Two');
INSERT INTO "Comment" VALUES ('c_1', 'p_1', 'u_bob', 'so');
INSERT INTO "Like" VALUES ('u_cy', 'p_1');
INSERT INTO "Message" VALUES ('m_1', 'u_ada', 'u_bob', 'hi'), ('m_2', 'u_bob', 'u_cy', 'hi');
INSERT INTO "Profile" VALUES ('f_1', 'u_ada', 'x', NULL);
INSERT INTO "VerificationToken" VALUES ('ada@example.org', 't1'), ('new@example.net', 't2'), ('bob@example.org', 't3');
