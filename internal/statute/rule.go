package statute

import (
	"fmt"
	"regexp"
	"slices"
)

// Units in which a law counts. A month is never turned into thirty days.
const (
	unitMonth    = "calendar_month"
	unitDay      = "calendar_day"
	unitBusiness = "business_day"
	unitAtOnce   = "at_once"     // due on the day of receipt itself
	unitNoDate   = "undue_delay" // the law fixes no day
	unitNamed    = "named_date"  // an extension to the day that its notice names, without a cap
)

// What an outstanding answer of the person does to the clock.
const (
	effectRestart = "restart" // the whole period begins again on the day of the answer
	effectPause   = "pause"   // the days between do not count
	effectReflect = "reflect" // the person has some days to think; the whole period begins when they are over
	effectNone    = "none"    // stated to be none
)

const (
	basisStatute      = "statute"
	basisGuidance     = "guidance"           // an authority's reading, which the text does not state
	basisReading      = "reading"            // one reading of a text that says nothing of how days count
	basisTarget       = "target"             // the law fixes no day; this one keeps the answer in bounds
	countExclusive    = "exclusive"          // answered minus asked
	countInclusive    = "inclusive"          // both days are left out
	countReceiptIsOne = "receipt_is_day_one" // "beginning with the day of receipt"
	rollWorkingDay    = "next_working_day"
	rollNone          = "none"
)

// RightNames lists the rights that a request can be about, by the names of the contract.
func RightNames() []string {
	return []string{
		"access", "portability", "rectification", "erasure", "restriction", "objection", "withdraw_consent",
		"opt_out", "limit_sensitive", "automated_decision_review", "know_categories", "know_specific",
		"third_party_list", "appeal", "complaint",
	}
}

// Rule is what every row of a jurisdiction carries: whom it is for, when it holds, and on what authority.
type Rule struct {
	Rights      []string `yaml:"rights" json:"rights,omitempty"`           // empty: every right
	Controllers []string `yaml:"controllers" json:"controllers,omitempty"` // kinds of controller that the file lists; empty: every kind
	ValidFrom   Date     `yaml:"valid_from" json:"valid_from,omitzero"`
	ValidTo     Date     `yaml:"valid_to" json:"valid_to,omitzero"` // last day on which it holds
	Cite        string   `yaml:"cite" json:"cite"`
	Confidence  string   `yaml:"confidence" json:"confidence"` // A, B, C, K or two of them: "A/K"
	None        bool     `yaml:"none" json:"none,omitempty"`   // there is no such rule here: it hides a wider one
}

func (r Rule) head() Rule { return r }

// holds tells whether the rule speaks of a request for that right received on that day by that kind of controller.
func (r Rule) holds(right, controller string, on Date) bool {
	return r.inForce(on) && (len(r.Rights) == 0 || slices.Contains(r.Rights, right)) &&
		(len(r.Controllers) == 0 || slices.Contains(r.Controllers, controller))
}

// narrowness orders rules that hold for one question: who names the right comes first, then who names the controller.
func (r Rule) narrowness() int {
	n := 0
	if len(r.Rights) > 0 {
		n += 2
	}
	if len(r.Controllers) > 0 {
		n++
	}
	return n
}

func (r Rule) inForce(on Date) bool {
	return !on.Before(r.ValidFrom) && (r.ValidTo.IsZero() || !on.After(r.ValidTo))
}

// Grant is a right that the law gives.
type Grant struct {
	Rule  `yaml:",inline"`
	Right string   `yaml:"right" json:"right"`
	Of    []string `yaml:"of" json:"of,omitempty"` // for an appeal: the rights whose denial it can be made against; empty: all
}

// span is a period counted from the start of the clock.
type span struct {
	Rule             `yaml:",inline"`
	Amount           int      `yaml:"amount"`
	Unit             string   `yaml:"unit"`
	Basis            string   `yaml:"basis"`             // guidance or target where the law itself fixes no day; else ""
	Counting         string   `yaml:"counting"`          // receipt_is_day_one, else the day of receipt is not counted
	Holidays         string   `yaml:"holidays"`          // for business days: the calendar whose holidays are skipped
	ConservativeDays int      `yaml:"conservative_days"` // added for the stricter reading: 0 or less
	MaxTotal         int      `yaml:"max_total"`         // for an extension: base and extension together
	Stricter         *measure `yaml:"stricter"`          // the stricter reading is a period of its own, without an extension
}

// measure is a bare period.
type measure struct {
	Amount   int    `yaml:"amount"`
	Unit     string `yaml:"unit"`
	Holidays string `yaml:"holidays"`
}

// milestone is a date beside the answer: a first, lesser answer or a step of its own.
type milestone struct {
	Rule     `yaml:",inline"`
	What     string `yaml:"what"`
	Text     string `yaml:"text"`
	Amount   int    `yaml:"amount"`
	Unit     string `yaml:"unit"`
	Holidays string `yaml:"holidays"`
}

// pauseRule says what an outstanding answer does.
type pauseRule struct {
	Rule     `yaml:",inline"`
	Reason   string `yaml:"reason"` // identity, clarification, fee
	Effect   string `yaml:"effect"`
	Basis    string `yaml:"basis"`
	Counting string `yaml:"counting"`
	Days     int    `yaml:"days"` // for reflect: the days to think, from the question on
}

// rollRule says what happens to a last day that is no working day.
type rollRule struct {
	Rule `yaml:",inline"`
	To   string `yaml:"to"`
}

// Remark is a sentence about a right that belongs beside its dates.
type Remark struct {
	Rule `yaml:",inline"`
	Text string `yaml:"text" json:"text"`
}

// Fact is a rule of the law that is not a date: what a refusal must say, what is never disclosed, how long
// records stay. Values are codes or whole numbers as text.
type Fact struct {
	Rule   `yaml:",inline"`
	Fact   string   `yaml:"fact" json:"fact"`
	Values []string `yaml:"values" json:"values"`
}

// factNames are the facts that a file may state, so that a slip of the pen is no silent gap.
func factNames() []string {
	return []string{
		"refusal_content", "extension_content", "response_content", "never_disclose", "verification", "fee", "fee_cap",
		"frequency_per_12_months", "frequency_per_calendar_year", "lookback_months", "records_months", "parent_below_age",
		"consent_age", "agent", "pass_on", "metrics_threshold", "ask_again_months", "denial_grounds", "complaint_body", "recourse",
		"opt_out_signal", "silence", "keep_until_recourse_ends", "delete_scope", "extension_grounds",
	}
}

type headed interface{ head() Rule }

var confidenceForm = regexp.MustCompile(`^[ABCK](/[ABCK])?$`)

// check finds what is wrong with the part that all rules share.
func (r Rule) check(where string) []error {
	var errs []error
	if r.Cite == "" {
		errs = append(errs, fmt.Errorf("%s: no citation", where))
	}
	if !confidenceForm.MatchString(r.Confidence) {
		errs = append(errs, fmt.Errorf("%s: confidence %q is none of A, B, C, K", where, r.Confidence))
	}
	if !r.ValidTo.IsZero() && r.ValidTo.Before(r.ValidFrom) {
		errs = append(errs, fmt.Errorf("%s: ends before it begins", where))
	}
	for _, name := range r.Rights {
		if !slices.Contains(RightNames(), name) {
			errs = append(errs, fmt.Errorf("%s: unknown right %q", where, name))
		}
	}
	return errs
}

// overlaps tells whether two rules could both be picked for one request, so that their order would decide.
func (r Rule) overlaps(o Rule) bool {
	if r.narrowness() != o.narrowness() {
		return false
	}
	if (!r.ValidTo.IsZero() && r.ValidTo.Before(o.ValidFrom)) || (!o.ValidTo.IsZero() && o.ValidTo.Before(r.ValidFrom)) {
		return false
	}
	return meet(r.Rights, o.Rights) && meet(r.Controllers, o.Controllers)
}

// meet tells whether two lists, of which the empty one means all, have something in common.
func meet(a, b []string) bool {
	return len(a) == 0 || slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}
