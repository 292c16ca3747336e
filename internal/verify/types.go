package verify

import (
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
)

// Session is what a person holds after the proof: a token for the status page and the calls behind it.
type Session struct {
	Reference   dsr.Reference
	Requests    []dsr.Request
	AccessToken string
	ExpiresAt   time.Time
}

// Pending is what a verification page shows before the button is pressed.
type Pending struct {
	Reference dsr.Reference
	Language  string
	Rights    []dsr.Right
}

// The purposes of tokens.
const (
	PurposeVerify         = "verify"          // the link in the verification mail
	PurposeSession        = "session"         // a person's access_token
	PurposeDownload       = "download"        // the one-time code for a package
	PurposeSignIn         = "signin"          // an officer's one-time sign-in link
	PurposeOfficerSession = "officer_session" // an officer's session cookie
)

// OfficerSession is an officer's session in the console.
type OfficerSession struct {
	Token     string
	ExpiresAt time.Time
}
