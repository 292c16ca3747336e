package oversee

import (
	"context"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/store"
)

// Mailbox gives the mails that were kept instead of sent: the demo's mailbox page.
func (s *Service) Mailbox(ctx context.Context, p access.Principal, cursor string) (out []store.OutMail, next string, err error) {
	err = s.read(ctx, p, access.MessageRead, func(tx *store.Tx) (err error) {
		out, next, err = tx.ListMail(50, cursor)
		return err
	})
	return out, next, err
}
