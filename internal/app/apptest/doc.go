// Package apptest runs the real program against real services for the end-to-end tests: it builds the binary, starts
// it on one of the two footings (embedded; PostgreSQL and Redis with workers apart), plays mail server, person and
// officer, and compares databases table by table.
package apptest
