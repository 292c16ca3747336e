package api

// ProblemType is what the `type` of a problem begins with; the stable code follows.
const ProblemType = "urn:habeas:problem:"

// Problem is an error as application/problem+json (RFC 9457).
type Problem struct {
	Type    string       `json:"type"`   // ProblemType and Code
	Title   string       `json:"title"`  // what the status means
	Status  int          `json:"status"` // that of the answer
	Detail  string       `json:"detail"` // one sentence about this error
	Code    string       `json:"code"`   // the stable code alone
	Errors  []FieldError `json:"errors,omitempty"`
	Allowed []string     `json:"allowed,omitempty"` // what is possible now, with 409
}

// FieldError is one wrong part of an input.
type FieldError struct {
	Name    string `json:"name"`    // path as sent: `types[0]`
	Message string `json:"message"` // what is wrong, and what would be right
}
