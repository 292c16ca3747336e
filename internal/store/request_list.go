package store

import (
	"time"

	"gorm.io/gorm"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/statute"
)

// RequestFilter narrows ListRequests; zero fields don't.
type RequestFilter struct {
	Status         []dsr.Status
	Right          []dsr.Right
	DueBefore      statute.Date // the legal date (extended_until, else due_on) lies before it
	Assignee       string
	Reference      string
	EmailHash      string // Tx.EmailHash
	Org            string
	CreatedBy      string
	NeedsAttention *bool
	Sort           string // SortDue ("" too), SortReceived, SortReceivedDesc
	Cursor         string
	Limit          int // 1 to 200; 0 is 50
}

// The orders of ListRequests.
const (
	SortDue          = "due"       // the nearest legal date first; those without one last
	SortReceived     = "received"  // oldest first
	SortReceivedDesc = "-received" // newest first
)

// ListRequests gives one page and the cursor of the next, "" on the last. Pages stay right while requests come and
// go: none is shown twice and none left out that was there all the time.
func (tx *Tx) ListRequests(f RequestFilter) (items []dsr.Request, next string, err error) {
	limit := within(f.Limit, 50, 200)
	q, err := tx.filtered(f)
	if err != nil {
		return nil, "", err
	}
	rows, err := all[requestRow](q.Limit(limit + 1))
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		last := rows[limit-1]
		key := last.SortOn.String()
		if f.Sort == SortReceived || f.Sort == SortReceivedDesc {
			key = last.Received.Format(time.RFC3339Nano)
		}
		next = writeCursor(key, last.ID)
	}
	items, err = tx.requests(rows)
	return items, next, err
}

func (tx *Tx) filtered(f RequestFilter) (*gorm.DB, error) {
	q := tx.in("request")
	if len(f.Status) > 0 {
		q = q.Where("status IN ?", texts(f.Status))
	}
	if len(f.Right) > 0 {
		q = q.Where("right_asked IN ?", texts(f.Right))
	}
	if !f.DueBefore.IsZero() {
		q = q.Where("sort_on < ?", on(f.DueBefore))
	}
	if f.Assignee != "" {
		q = q.Where("assignee = ?", f.Assignee)
	}
	if f.Reference != "" {
		q = q.Where("reference = ?", f.Reference)
	}
	if f.NeedsAttention != nil && *f.NeedsAttention {
		q = q.Where("needs_attention <> ''")
	} else if f.NeedsAttention != nil {
		q = q.Where("needs_attention = ''")
	}
	const asked = "EXISTS (SELECT 1 FROM submission s WHERE s.tenant = ? AND s.id = request.submission AND "
	for column, value := range map[string]string{"email_hash": f.EmailHash, "org": f.Org, "created_by": f.CreatedBy} {
		if value != "" {
			q = q.Where(asked+"s."+column+" = ?)", string(tx.Tenant), value)
		}
	}
	return sorted(q, f.Sort, f.Cursor)
}

// sorted orders by a column and the id, and begins behind the cursor.
func sorted(q *gorm.DB, sort, cursor string) (*gorm.DB, error) {
	var key []string
	var err error
	if cursor != "" {
		if key, err = readCursor(cursor, 2); err != nil {
			return nil, err
		}
	}
	switch sort {
	case "", SortDue:
		if key != nil {
			day, err := statute.ParseDate(key[0])
			if err != nil {
				return nil, errCursor()
			}
			q = q.Where("(sort_on, id) > (?, ?)", on(day), key[1])
		}
		return q.Order("sort_on, id"), nil
	case SortReceived, SortReceivedDesc:
		compare, order := "(received_at, id) > (?, ?)", "received_at, id"
		if sort == SortReceivedDesc {
			compare, order = "(received_at, id) < (?, ?)", "received_at DESC, id DESC"
		}
		if key != nil {
			t, err := time.Parse(time.RFC3339Nano, key[0])
			if err != nil {
				return nil, errCursor()
			}
			q = q.Where(compare, at(t), key[1])
		}
		return q.Order(order), nil
	}
	return nil, fault.BadInput([]fault.Field{{Name: "sort", Message: "must be due, received or -received"}})
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// CountRequests counts by status, and those that are unanswered after their legal date, as the day stands in UTC.
func (tx *Tx) CountRequests() (byStatus map[dsr.Status]int, overdue int, err error) {
	var rows []struct {
		Status string
		N      int
	}
	if err := tx.in("request").Select("status, count(*) AS n").Group("status").Find(&rows).Error; err != nil {
		return nil, 0, err
	}
	byStatus = map[dsr.Status]int{}
	for _, r := range rows {
		byStatus[dsr.Status(r.Status)] = r.N
	}
	var open []string
	for _, s := range dsr.Statuses() {
		if !s.Final() {
			open = append(open, string(s))
		}
	}
	var late int64
	err = tx.in("request").Where("status IN ? AND answered_at IS NULL AND sort_on < ?", open, on(statute.DateOf(tx.Now))).Count(&late).Error
	return byStatus, int(late), err
}
