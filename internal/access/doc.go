// Package access owns who may do what: the principal behind a call, the roles, one table of role and
// action, and the tokens that prove a principal.
//
// The one idea: a right is a cell in the table of table.go, and whatever has no cell is refused. No
// other code compares roles.
//
//	token ──Keys.Verify──> Principal ──Check(Action)──> nil, or fault.Forbidden
//	                           ▲
//	   a session of the portal, a job, the public form make theirs themselves
//
// It does not own which rows a principal may see: tenancy sits in the store's transaction, and the
// narrowing of an org_admin to its organization, or of a product to what it created, is done by the use
// case that knows the row. Nor does it own sign-in; package httpapi and the console bring a proven identity.
package access
