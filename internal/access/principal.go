package access

import (
	"log/slog"
	"slices"
	"time"

	"github.com/habeas-data/habeas/internal/fault"
)

// Kind says what stands behind a call.
type Kind string

// The kinds of principals. The zero Kind may do nothing.
const (
	KindOfficer Kind = "officer" // a person of the controller, by token or console session
	KindProduct Kind = "product" // a backend acting for its signed-in user, by token
	KindPerson  Kind = "person"  // the person the data are about, after verification
	KindJob     Kind = "job"     // one of our own workers, or the command line
	KindSystem  Kind = "system"  // a connected system that answers a task or sends an event
	KindPublic  Kind = "public"  // anyone, before verification
)

// Role is a role in a token. Each is one column of the table.
type Role string

// The roles a token may carry.
const (
	RoleOfficer  Role = "officer"   // works the queue, first approval included
	RoleApprover Role = "approver"  // the second pair of eyes: reads, approves, denies
	RoleAuditor  Role = "auditor"   // reads everything, changes nothing
	RoleAdmin    Role = "admin"     // settings and webhooks, and no request
	RoleOrgAdmin Role = "org_admin" // creates and follows requests of its organization's people
	RoleProduct  Role = "product"   // creates requests for its signed-in user, follows those, answers tasks
)

// Roles gives every role in a fixed order.
func Roles() []Role {
	return []Role{RoleOfficer, RoleApprover, RoleAuditor, RoleAdmin, RoleOrgAdmin, RoleProduct}
}

// The ways a principal was proven.
const (
	ViaJWT     = "jwt"     // a bearer token
	ViaSession = "session" // a console or portal session
	ViaLink    = "link"    // a single-use link or code from a mail
	ViaJob     = "job"     // made by our own process
)

// Principal is who calls, for one tenant. It is made once at a door and passed down unchanged.
type Principal struct {
	Kind       Kind
	Tenant     string
	Subject    string    // `sub` of the token; for a person the id of the submission; for a job its name
	Roles      []Role    // of officers and products; empty for all others
	Org        string    // for org_admin: the one organization it speaks for
	FreshUntil time.Time // until when the proof counts as a fresh factor; zero: it does not
	Via        string    // ViaJWT, ViaSession, ViaLink or ViaJob
	Address    string    // network address for rate limits; never logged
}

// Has tells whether the principal carries the role.
func (p Principal) Has(r Role) bool { return slices.Contains(p.Roles, r) }

// Fresh tells whether the proof is fresh at now, as needed before something is released or erased.
func (p Principal) Fresh(now time.Time) bool { return now.Before(p.FreshUntil) }

// Can tells whether the table allows the action to the principal's kind or to any of its roles. Without
// a tenant nothing is allowed.
func (p Principal) Can(a Action) bool {
	if p.Tenant == "" {
		return false
	}
	if p.Kind != KindOfficer && p.Kind != KindProduct {
		return allowedKind(p.Kind, a)
	}
	for _, r := range p.Roles {
		// An org_admin without an organization would speak for all of them.
		if r == RoleOrgAdmin && p.Org == "" {
			continue
		}
		// The token of a backend is no officer's and the other way round, whatever else it lists.
		if (r == RoleProduct) != (p.Kind == KindProduct) {
			continue
		}
		if allowedRole(r, a) {
			return true
		}
	}
	return false
}

// Check gives nil when Can does, else a fault.Forbidden with code "not_allowed" that names the action
// and nothing else.
func (p Principal) Check(a Action) error {
	if p.Can(a) {
		return nil
	}
	return fault.New(fault.Forbidden, "not_allowed", "You may not do this: %s.", a)
}

// OrgOnly tells whether the principal sees only its organization's people: it has org_admin and no role
// that sees all requests.
func (p Principal) OrgOnly() bool {
	return p.Has(RoleOrgAdmin) && !p.seesAll()
}

// OwnOnly tells whether the principal sees only requests that it created itself.
func (p Principal) OwnOnly() bool { return p.Kind == KindProduct }

// seesAll tells whether a role gives sight of every request of the tenant.
func (p Principal) seesAll() bool {
	return p.Kind == KindOfficer && (p.Has(RoleOfficer) || p.Has(RoleApprover) || p.Has(RoleAuditor))
}

// LogValue gives what a log may hold of a principal: no subject, no address.
func (p Principal) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("kind", string(p.Kind)),
		slog.String("tenant", p.Tenant),
		slog.String("via", p.Via),
		slog.Any("roles", p.Roles),
	)
}
