package store

import "github.com/habeas-data/habeas/internal/dsr"

// The kinds of due work.
const (
	DueRequest    = "request"    // fulfill.Advance; ID is the request's
	DueMail       = "mail"       // a letter waits; ID is the mail's
	DueDelivery   = "delivery"   // a webhook delivery waits; ID is the delivery's
	DueObligation = "obligation" // its day has come; ID is the obligation's
	DuePackage    = "package"    // expired and not destroyed; ID is the package's
	DueMemory     = "memory"     // expired; ID is the memory's
	DueAudit      = "audit"      // leaves wait for their number; ID is empty
	DueToken      = "token"      // expired tokens can be swept; ID is empty
)

// Due is one piece of work whose time has come: two ids and a kind, nothing of its content.
type Due struct {
	Tenant dsr.TenantID
	Kind   string
	ID     string
}
