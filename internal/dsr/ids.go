package dsr

import (
	"crypto/rand"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/habeas-data/habeas/internal/fault"
)

// TenantID names a tenant: a slug of 1 to 63 characters (`acme`), as it stands in addresses and tokens.
type TenantID string

// SubmissionID and RequestID are UUIDv7 in their text form. They are distinct types so that one is never
// taken for the other, nor for an id of something else.
type (
	SubmissionID string
	RequestID    string
)

var (
	tenantForm    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	referenceForm = regexp.MustCompile(`^HB-[` + referenceAlphabet + `]{4}-[` + referenceAlphabet + `]{4}$`)
)

// ParseTenant checks a tenant's slug.
func ParseTenant(s string) (TenantID, error) {
	if !tenantForm.MatchString(s) {
		return "", fault.New(fault.NotFound, "unknown_tenant", "There is nobody by that name here.")
	}
	return TenantID(s), nil
}

// NewID gives a fresh UUIDv7 in text form.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// ParseRequestID reads a request's id in the canonical form; anything else answers like an id that does not exist.
func ParseRequestID(s string) (RequestID, error) {
	id, err := uuid.Parse(s)
	if err != nil || id.String() != s {
		return "", fault.New(fault.NotFound, "unknown_request", "There is no such request.")
	}
	return RequestID(s), nil
}

// Reference is what a person reads aloud on the phone: HB-7K3M-92QD.
type Reference string

// referenceAlphabet leaves out I, L, O, U, 0 and 1, which are mistaken for one another when spoken or written.
const referenceAlphabet = "ABCDEFGHJKMNPQRSTVWXYZ23456789"

// NewReference draws a reference of 8 characters (about 39 bits): enough never to meet itself in a tenant, while
// nothing is protected by it alone.
func NewReference() Reference {
	var b strings.Builder
	b.WriteString("HB-")
	for i := 0; i < 8; i++ {
		if i == 4 {
			b.WriteByte('-')
		}
		b.WriteByte(referenceAlphabet[uniform(len(referenceAlphabet))])
	}
	return Reference(b.String())
}

func uniform(n int) int {
	limit := 256 - 256%n
	var one [1]byte
	for {
		_, _ = rand.Read(one[:]) // crypto/rand never fails since Go 1.24: it ends the program instead
		if int(one[0]) < limit {
			return int(one[0]) % n
		}
	}
}

// ParseReference reads a reference as a person may type it: any case, spaces for dashes.
func ParseReference(s string) (Reference, error) {
	s = strings.ToUpper(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '-' }), "-"))
	if len(s) == len("HB-ABCDEFGH") && strings.HasPrefix(s, "HB-") && !strings.Contains(s[3:], "-") {
		s = s[:7] + "-" + s[7:]
	}
	if !referenceForm.MatchString(s) {
		return "", fault.New(fault.NotFound, "unknown_reference", "There is no request with that reference.")
	}
	return Reference(s), nil
}
