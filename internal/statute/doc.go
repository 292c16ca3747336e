// Package statute owns the clock of the law: which rights a jurisdiction gives, when a request must be
// acknowledged and answered, what moves those dates, and why. It also owns the civil Date and the Period
// in which all such dates are written.
//
// The one idea: law is data, counting is code. Each jurisdiction is one embedded YAML file whose every rule
// carries its citation, a mark of how well that citation was checked, and the dates between which it holds;
// the rule is picked by the day of receipt. The code knows only how to count.
//
//	Question ── Book.Clock ──┬─ start   receipt, or the latest of receipt, identity and fee (restart)
//	  events                 ├─ raw     start + period, months clamped, never chained
//	                         ├─ + days  the merged pauses
//	                         └─ roll    to a working day of the establishment, only where the law says so
//
// So are holidays: each place has a file of rows (a day, a distance from Easter, a weekday of a month, years from and
// until, substitutes), held to published lists in testdata. To add a law or a place is to add its YAML and its cases.
//
//	law.yaml   extends a pattern, answers after another (before:), covers further codes; each list of rows (rights,
//	           acknowledge, response, extension, milestones, pauses, rollover, remarks, facts) is searched for the
//	           row that names the right, then the kind of controller, then for the pattern's
//	facts      what is no date: verification, denial grounds, fees, frequency, recourse, agents, ages, records
//
// Where a law can be read in two ways both dates are given; alarms run on the conservative one, which never
// lies after the other. Book.Strictest weighs several laws at once.
//
// The package is pure: it takes no clock, reads nothing but its own embedded files, and is no legal advice;
// the marks say which rows counsel should read first:
//
//	A  primary text or the regulator's own page    C  reputable secondary source
//	B  primary text in a reproduction              K  general knowledge, to be checked
package statute
