package dsr

// Right is one right that a person can ask for: the `type` of a request.
type Right string

// The rights, by their legal names. The text is the wire form of the contract.
const (
	RightAccess                  Right = "access"
	RightPortability             Right = "portability"
	RightRectification           Right = "rectification"
	RightErasure                 Right = "erasure"
	RightRestriction             Right = "restriction"
	RightObjection               Right = "objection"
	RightWithdrawConsent         Right = "withdraw_consent"
	RightOptOut                  Right = "opt_out"
	RightLimitSensitive          Right = "limit_sensitive"
	RightAutomatedDecisionReview Right = "automated_decision_review"
	RightKnowCategories          Right = "know_categories"
	RightKnowSpecific            Right = "know_specific"
	RightThirdPartyList          Right = "third_party_list"
	RightAppeal                  Right = "appeal"
	RightComplaint               Right = "complaint"
)

// Work says what carrying out a right means to the machine.
type Work uint8

// The kinds of work.
const (
	WorkLetter   Work = iota // an officer answers; the machine keeps the clock and sends the letter
	WorkPackage              // collect and hand over the data
	WorkErase                // delete and anonymize
	WorkRectify              // write corrected values
	WorkSuppress             // record a suppression that the guard answers
)

type rightTraits struct {
	right  Right
	work   Work
	proof  bool // needs proof of who asks before anything happens
	public bool // may be asked for at the form
}

//nolint:gochecknoglobals // the table of rights, never written
var rights = []rightTraits{
	{RightAccess, WorkPackage, true, true},
	{RightPortability, WorkPackage, true, true},
	{RightRectification, WorkRectify, true, true},
	{RightErasure, WorkErase, true, true},
	{RightRestriction, WorkSuppress, true, true},
	{RightObjection, WorkSuppress, true, true},
	{RightWithdrawConsent, WorkSuppress, true, true},
	// 11 CCR 7026(d), 7027(e): requests to opt out and to limit need not be verifiable.
	{RightOptOut, WorkSuppress, false, true},
	{RightLimitSensitive, WorkSuppress, false, true},
	{RightAutomatedDecisionReview, WorkLetter, true, true},
	{RightKnowCategories, WorkLetter, true, true},
	{RightKnowSpecific, WorkPackage, true, true},
	{RightThirdPartyList, WorkLetter, true, true},
	{RightAppeal, WorkLetter, true, true},
	{RightComplaint, WorkLetter, true, true},
}

// Rights lists all rights in the order of the contract.
func Rights() []Right {
	out := make([]Right, len(rights))
	for i, t := range rights {
		out[i] = t.right
	}
	return out
}

// ParseRight reads the wire form.
func ParseRight(s string) (Right, bool) {
	t := Right(s).traits()
	return t.right, t.right != ""
}

// Work tells what carrying out the right means.
func (r Right) Work() Work { return r.traits().work }

// NeedsProof tells whether nothing may happen before the person proved who they are. An opt-out discloses and
// destroys nothing, so it needs none.
func (r Right) NeedsProof() bool { return r.traits().proof }

func (r Right) traits() rightTraits {
	for _, t := range rights {
		if t.right == r {
			return t
		}
	}
	return rightTraits{}
}
