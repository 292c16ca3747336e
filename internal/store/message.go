package store

import (
	"fmt"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/seal"
)

// Note is an internal remark of an officer on a request.
type Note struct {
	ID      string // UUIDv7; made by AddNote when empty
	Request dsr.RequestID
	By      auditlog.Actor
	Subject string // of the officer
	At      time.Time
	Text    string // sealed
}

// The directions of messages.
const (
	MessageIn  = "in"  // from the person
	MessageOut = "out" // to the person
)

// Message is one letter of the correspondence with a person. Text and attachments are sealed.
type Message struct {
	ID          string // UUIDv7; made by AddMessage when empty
	Submission  dsr.SubmissionID
	Request     dsr.RequestID // "" where it concerns the whole submission
	Direction   string
	By          auditlog.Actor
	At          time.Time
	Text        string
	Attachments []Attachment
}

// Attachment is one file of a message. Messages gives them without Content; Attachment reads it.
type Attachment struct {
	ID      string // UUIDv7; made by AddMessage when empty
	Name    string
	Type    string // media type
	Size    int64
	Content []byte
}

type noteRow struct {
	Tenant    string
	ID        string
	Request   string
	ActorKind string
	ActorHash string
	Subject   string
	At        stamp
	Body      []byte
}

type messageRow struct {
	Tenant     string
	ID         string
	Submission string
	Request    string
	Direction  string
	ActorKind  string
	ActorHash  string
	At         stamp
	Body       []byte
}

// attachmentRow has name and type sealed together in Label, so that a list need not read the content.
type attachmentRow struct {
	Tenant  string
	ID      string
	Message string
	Number  int64
	Size    int64
	Label   []byte
	Content []byte
}

type attachmentLabel struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// AddNote stores an internal remark at tx.Now.
func (tx *Tx) AddNote(n Note, act Act) (id string, err error) {
	key, err := tx.requestKey(n.Request)
	if err != nil {
		return "", err
	}
	row := noteRow{
		Tenant: string(tx.Tenant), ID: newID(n.ID), Request: string(n.Request),
		ActorKind: n.By.Kind, ActorHash: n.By.Hash, Subject: n.Subject, At: at(tx.Now),
	}
	if row.Body, err = sealed(key, tx.place("note", row.ID, "body"), n.Text); err != nil {
		return "", err
	}
	if err := tx.insert("note", &row); err != nil {
		return "", err
	}
	return row.ID, tx.Audit(act, auditlog.Object{Kind: "request", ID: row.Request})
}

// Notes gives the remarks on a request, oldest first.
func (tx *Tx) Notes(id dsr.RequestID) ([]Note, error) {
	rows, err := all[noteRow](tx.in("note").Where("request = ?", string(id)).Order("at, id"))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	key, err := tx.requestKey(id)
	if err != nil {
		return nil, err
	}
	out := make([]Note, len(rows))
	for i, r := range rows {
		out[i] = Note{ID: r.ID, Request: id, By: auditlog.Actor{Kind: r.ActorKind, Hash: r.ActorHash}, Subject: r.Subject, At: r.At.Time}
		if err := open(key, tx.place("note", r.ID, "body"), r.Body, &out[i].Text); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// AddMessage stores a letter at tx.Now, with its attachments.
func (tx *Tx) AddMessage(m Message, act Act) (id string, err error) {
	key, err := tx.submissionKey(m.Submission)
	if err != nil {
		return "", err
	}
	row := messageRow{
		Tenant: string(tx.Tenant), ID: newID(m.ID), Submission: string(m.Submission), Request: string(m.Request), Direction: m.Direction,
		ActorKind: m.By.Kind, ActorHash: m.By.Hash, At: at(tx.Now),
	}
	if row.Body, err = sealed(key, tx.place("message", row.ID, "body"), m.Text); err != nil {
		return "", err
	}
	if err := tx.insert("message", &row); err != nil {
		return "", err
	}
	for i, a := range m.Attachments {
		file := attachmentRow{Tenant: row.Tenant, ID: newID(a.ID), Message: row.ID, Number: int64(i), Size: int64(len(a.Content))}
		if file.Label, err = sealed(key, tx.place("attachment", file.ID, "label"), attachmentLabel{a.Name, a.Type}); err != nil {
			return "", err
		}
		file.Content = key.Seal(a.Content, tx.place("attachment", file.ID, "content"))
		if err := tx.insert("attachment", &file); err != nil {
			return "", err
		}
	}
	return row.ID, tx.Audit(act, auditlog.Object{Kind: "submission", ID: row.Submission})
}

// Messages gives the correspondence of a submission, oldest first. Attachments come without their content.
func (tx *Tx) Messages(sub dsr.SubmissionID) ([]Message, error) {
	rows, err := all[messageRow](tx.in("message").Where("submission = ?", string(sub)).Order("at, id"))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	key, err := tx.submissionKey(sub)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	files, err := all[attachmentRow](tx.in("attachment").Select("tenant, id, message, number, size, label").
		Where("message IN ?", ids).Order("message, number"))
	if err != nil {
		return nil, err
	}
	byMessage := map[string][]Attachment{}
	for _, f := range files {
		a, err := tx.attachment(f, key)
		if err != nil {
			return nil, err
		}
		byMessage[f.Message] = append(byMessage[f.Message], a)
	}
	out := make([]Message, len(rows))
	for i, r := range rows {
		out[i] = Message{
			ID: r.ID, Submission: sub, Request: dsr.RequestID(r.Request), Direction: r.Direction,
			By: auditlog.Actor{Kind: r.ActorKind, Hash: r.ActorHash}, At: r.At.Time, Attachments: byMessage[r.ID],
		}
		if err := open(key, tx.place("message", r.ID, "body"), r.Body, &out[i].Text); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Attachment gives one attachment of a submission's messages, with its content. Naming the submission keeps a person
// from another one's file.
func (tx *Tx) Attachment(sub dsr.SubmissionID, id string) (Attachment, error) {
	missing := notFound("unknown_attachment", "There is no such attachment.")
	f, err := take[attachmentRow](tx.in("attachment").Where("id = ?", id), missing)
	if err != nil {
		return Attachment{}, err
	}
	if _, err := take[messageRow](tx.in("message").Where("id = ? AND submission = ?", f.Message, string(sub)), missing); err != nil {
		return Attachment{}, err
	}
	key, err := tx.submissionKey(sub)
	if err != nil {
		return Attachment{}, err
	}
	return tx.attachment(f, key)
}

func (tx *Tx) attachment(f attachmentRow, key seal.Key) (Attachment, error) {
	var label attachmentLabel
	if err := open(key, tx.place("attachment", f.ID, "label"), f.Label, &label); err != nil {
		return Attachment{}, err
	}
	a := Attachment{ID: f.ID, Name: label.Name, Type: label.Type, Size: f.Size}
	if f.Content == nil {
		return a, nil
	}
	var err error
	if a.Content, err = key.Open(f.Content, tx.place("attachment", f.ID, "content")); err != nil {
		return Attachment{}, fmt.Errorf("opening attachment.content: %w", err)
	}
	return a, nil
}
