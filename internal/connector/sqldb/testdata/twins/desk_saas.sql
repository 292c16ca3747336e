-- Software for teams: workspaces with members; content with who made, changed and is to do it.
-- engines: postgres
-- subject: users.email
-- owns: memberships>users:user_id projects>users:created_by tasks>users:created_by task_comments>users:author_id checklists>tasks:task_id invitations>users:invited_by invitations~email api_keys>users:user_id activity~payload$.actor.email
-- owns: time_entries>users:user_id
-- personal: users.email users.full_name users.password_hash users.avatar_url task_comments.body invitations.email api_keys.key_hash- users.phone tasks.notes time_entries.note
CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL UNIQUE, full_name text NOT NULL, phone text, password_hash text NOT NULL, avatar_url text, locale text, deleted_at timestamptz);
CREATE TABLE workspaces (id uuid PRIMARY KEY, name text NOT NULL, owner_id uuid NOT NULL REFERENCES users (id), plan text);
CREATE TABLE memberships (workspace_id uuid NOT NULL REFERENCES workspaces (id), user_id uuid NOT NULL REFERENCES users (id), role text, PRIMARY KEY (workspace_id, user_id));
CREATE TABLE projects (id uuid PRIMARY KEY, workspace_id uuid NOT NULL REFERENCES workspaces (id), title text, created_by uuid NOT NULL REFERENCES users (id), updated_by uuid REFERENCES users (id));
CREATE TABLE tasks (id uuid PRIMARY KEY, project_id uuid NOT NULL REFERENCES projects (id), title text, notes text, created_by uuid NOT NULL REFERENCES users (id), updated_by uuid REFERENCES users (id), assignee_id uuid REFERENCES users (id));
CREATE TABLE task_comments (id uuid PRIMARY KEY, task_id uuid NOT NULL REFERENCES tasks (id), author_id uuid NOT NULL REFERENCES users (id), body text);
CREATE TABLE checklists (id uuid PRIMARY KEY, task_id uuid NOT NULL REFERENCES tasks (id), label text);
CREATE TABLE invitations (id uuid PRIMARY KEY, workspace_id uuid NOT NULL REFERENCES workspaces (id), invited_by uuid NOT NULL REFERENCES users (id), email text NOT NULL);
CREATE TABLE api_keys (id uuid PRIMARY KEY, user_id uuid NOT NULL, key_hash text NOT NULL);
CREATE TABLE time_entries (id uuid PRIMARY KEY, task_id uuid NOT NULL REFERENCES tasks (id), user_id uuid NOT NULL REFERENCES users (id), approved_by uuid REFERENCES users (id), note text);
CREATE TABLE workspace_settings (workspace_id uuid PRIMARY KEY REFERENCES workspaces (id), updated_by uuid REFERENCES users (id), theme text);
CREATE TABLE activity (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), verb text NOT NULL, payload jsonb NOT NULL);
CREATE TABLE feature_flags (name text PRIMARY KEY, enabled boolean NOT NULL);
INSERT INTO users (id, email, full_name, password_hash) VALUES ('00000000-0000-4000-8000-000000000001', 'ada@example.org', 'Ada', 'x'), ('00000000-0000-4000-8000-000000000002', 'bob@example.org', 'Bob', 'x');
INSERT INTO activity (verb, payload) VALUES ('signed_in', '{"actor": {"email": "ada@example.org"}}'), ('signed_in', '{"actor": {"email": "bob@example.org"}, "ip": "10.0.0.1"}');
INSERT INTO workspaces VALUES ('00000000-0000-4000-8000-0000000000a1', 'North', '00000000-0000-4000-8000-000000000001', 'free');
INSERT INTO api_keys VALUES ('00000000-0000-4000-8000-0000000000b1', '00000000-0000-4000-8000-000000000001', 'x');
