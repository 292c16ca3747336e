package plan

import "github.com/habeas-data/habeas/internal/statute"

// Rules says, for one system on one day, what becomes of a row: the policy's retention and the map's erase rules
// resolved table by table. A connector asks it for every row it walks.
type Rules struct {
	Today  statute.Date
	Tables map[string]TableRule
}

// TableRule is the rule of one table.
type TableRule struct {
	Do        Action   // delete, anonymize, retain or keep; with_owner is resolved to FollowOwner
	Follow    []string // with_owner: the fate of the owner's row in one of these tables is the fate of ours
	Category  string
	Ground    string
	RowDate   string // the column that dates a row, when Do is retain and the retention runs from the row
	YearEnd   bool   // retention runs from the end of the row's year
	Keep      statute.Period
	Fixed     statute.Date // retention that runs from an event: the same date for every row; zero: from the row
	Others    string       // refuse, keep, set_null, anonymize
	RedactNow []string
}

// Fate gives what becomes of a row dated rowDate (zero when the table dates no rows) by the table's own rule. A
// retain whose date is today or past is a delete.
func (r TableRule) Fate(today, rowDate statute.Date) Fate {
	switch r.Do {
	case ActionRetain:
		until := r.Fixed
		if until.IsZero() {
			until = r.until(rowDate)
		}
		if !until.IsZero() && !until.After(today) {
			return Fate{Action: ActionDelete}
		}
		return Fate{Action: ActionRetain, Until: until, Ground: r.Ground}
	case ActionKeep:
		return Fate{Action: ActionKeep, Ground: r.Ground}
	case ActionAnonymize:
		return Fate{Action: ActionAnonymize}
	case ActionDelete, ActionCollect, ActionRedact, ActionUnlink, ActionRectify, ActionSuppress, ActionAnswer:
	}
	return Fate{Action: ActionDelete}
}

func (r TableRule) until(rowDate statute.Date) statute.Date {
	if rowDate.IsZero() {
		return statute.Date{}
	}
	if r.YearEnd {
		rowDate = statute.NewDate(rowDate.Year, 12, 31)
	}
	return r.Keep.AddToDate(rowDate)
}

// Needed joins the fate of a row with that of a row that refers to it: what a kept row needs is anonymized now and
// goes with the last of them. A row that its own rule anonymizes stays for good.
func (f Fate) Needed(by Fate, table string) Fate {
	if by.Action != ActionRetain || f.Action == ActionKeep || f.Action == ActionAnonymize && f.Until.IsZero() {
		return f
	}
	switch f.Action {
	case ActionDelete, ActionAnonymize:
		if f.Because == "" || (f.Until.Before(by.Until) && !f.Until.IsZero()) || by.Until.IsZero() {
			return Fate{Action: ActionAnonymize, Until: by.Until, Ground: by.Ground, Because: table}
		}
	case ActionRetain:
		if by.Until.IsZero() || (!f.Until.IsZero() && f.Until.Before(by.Until)) {
			f.Until, f.Because = by.Until, table
		}
	case ActionKeep, ActionCollect, ActionRedact, ActionUnlink, ActionRectify, ActionSuppress, ActionAnswer:
	}
	return f
}
