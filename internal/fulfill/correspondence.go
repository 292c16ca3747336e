package fulfill

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/notify"
	"github.com/habeas-data/habeas/internal/store"
)

// Bounds of a message.
const (
	maxMessage     = 8000
	maxAttachments = 5
	maxAttached    = 5 << 20 // bytes of all attachments of one message
	messagesADay   = 20      // of a person and submission
)

func checkMessage(m Message) error {
	var faults []fault.Field
	if n := utf8.RuneCountInString(m.Body); n == 0 || n > maxMessage || !utf8.ValidString(m.Body) {
		faults = append(faults, fault.Field{Name: "body", Message: fmt.Sprintf("between 1 and %d characters", maxMessage)})
	}
	size := 0
	for _, a := range m.Attachments {
		size += len(a.Data)
		if a.Name == "" || utf8.RuneCountInString(a.Name) > 200 {
			faults = append(faults, fault.Field{Name: "attachments", Message: "each file has a name of at most 200 characters"})
		}
	}
	if len(m.Attachments) > maxAttachments || size > maxAttached {
		faults = append(faults, fault.Field{Name: "attachments", Message: fmt.Sprintf("at most %d files of %d MiB together", maxAttachments, maxAttached>>20)})
	}
	return fault.BadInput(faults)
}

func stored(m Message, dir string, sub dsr.SubmissionID, req dsr.RequestID) store.Message {
	out := store.Message{Submission: sub, Request: req, Direction: dir, Text: m.Body}
	for _, a := range m.Attachments {
		out.Attachments = append(out.Attachments, store.Attachment{Name: a.Name, Type: a.Type, Size: int64(len(a.Data)), Content: a.Data})
	}
	return out
}

// MessageAsPerson adds a message of the person to the correspondence.
func (s *Service) MessageAsPerson(ctx context.Context, p access.Principal, reference dsr.Reference, m Message) error {
	if err := p.Check(access.MessageWrite); err != nil {
		return err
	}
	if err := checkMessage(m); err != nil {
		return err
	}
	return s.store.InTx(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) error {
		r, _, err := s.asPerson(tx, p, reference)
		if err != nil {
			return err
		}
		earlier, err := tx.Messages(r.sub.ID)
		if err != nil {
			return err
		}
		n := 0
		for _, e := range earlier {
			if e.Direction == store.MessageIn && tx.Now.Sub(e.At).Hours() < 24 {
				n++
			}
		}
		if n >= messagesADay {
			return fault.New(fault.TooMany, "too_many_messages", "That is enough for today: we have your messages and will answer.")
		}
		msg := stored(m, store.MessageIn, r.sub.ID, "")
		msg.By = tx.Actor(p)
		_, err = tx.AddMessage(msg, store.Act{By: tx.Actor(p), Action: string(access.MessageWrite)})
		return err
	})
}

// SendMessage writes to the person; the mail goes to the address on file.
func (s *Service) SendMessage(ctx context.Context, p access.Principal, id dsr.RequestID, m Message) error {
	if err := checkMessage(m); err != nil {
		return err
	}
	return s.onRequest(ctx, p, id, access.MessageWrite, func(tx *store.Tx, r *run) error {
		msg := stored(m, store.MessageOut, r.sub.ID, id)
		msg.By = tx.Actor(p)
		msgID, err := tx.AddMessage(msg, store.Act{By: tx.Actor(p), Action: string(access.MessageWrite)})
		if err != nil {
			return err
		}
		return s.letter(tx, r, notify.KindMessage, "message:"+msgID, func(d *notify.Data) { d.Explanation = m.Body })
	})
}

// AddNote adds an officer's note; the person never sees it.
func (s *Service) AddNote(ctx context.Context, p access.Principal, id dsr.RequestID, body string) error {
	if err := text("body", body, 1, maxNote); err != nil {
		return err
	}
	return s.onRequest(ctx, p, id, access.NoteWrite, func(tx *store.Tx, r *run) error {
		by := tx.Actor(p)
		_, err := tx.AddNote(store.Note{Request: r.req.ID, By: by, Subject: p.Subject, Text: body}, store.Act{By: by, Action: string(access.NoteWrite)})
		return err
	})
}
